// @ts-check
// Questions to the data API and to Airflow's own, with the rights of whoever looks. Exports:
//   ask(path, params, options) -> the envelope {as_of, world, verdict, reasons, complete_until, completeness_percent,
//     next, data}; rows come even where the answer abstains, so show its verdict (trust.js).
//   askAll(path, params, options) -> the same with the rows of up to options.pages (10) pages.
//   askAirflow(path, params, options) -> a document of Airflow's /api/v2.
//   Problem: what both throw: status (0: nothing answered), title, detail, advice (what to do).
// params: undefined, null and "" are left out. options.signal: an AbortSignal; an aborted question throws AbortError.

/** @typedef {{code: string, text: string, since: string | null}} Reason */
/** @typedef {{as_of: string, world: string | null, verdict: string, reasons: Reason[], complete_until: string | null,
 *   completeness_percent: number | null, next: string | null, data: Record<string, any>[]}} Envelope */

const API = new URL("../api/v1/", import.meta.url);
const AIRFLOW = new URL("../../api/v2/", import.meta.url);
const LONGEST_MILLISECONDS = 20_000;

const ADVICE = /** @type {Record<number, string>} */ ({
  0: "See whether Airflow's api-server runs, then try again.",
  401: "The login has ended. Reload Airflow and log in again.",
  403: "Your Airflow role does not allow this. An administrator can grant it.",
  404: "Choose something that is there, or wait for the first run to write it.",
  422: "Change the choices above.",
  503: "Try again in a few seconds; if it stays so, follow the runbook.",
});

/** An answer that is a problem (RFC 9457), or no answer at all. */
export class Problem extends Error {
  /** @param {number} status @param {string} title @param {string} detail */
  constructor(status, title, detail) {
    super(`${title}: ${detail}`);
    this.name = "Problem";
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.advice = ADVICE[status] ?? "The api-server's log says more.";
  }
}

/** @param {string} path @param {Record<string, any>} [params] @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<Envelope>} */
export function ask(path, params = {}, options = {}) {
  return get(new URL(path, API), { untrusted: true, ...params }, options.signal);
}

/** @param {string} path @param {Record<string, any>} [params] @param {{signal?: AbortSignal, pages?: number}} [options]
 * @returns {Promise<Envelope>} */
export async function askAll(path, params = {}, options = {}) {
  const answer = await ask(path, params, options);
  for (let page = 1; answer.next && page < (options.pages ?? 10); page += 1) {
    const cursor = new URL(answer.next, location.href).searchParams.get("cursor");
    const following = await ask(path, { ...params, cursor }, options);
    answer.data.push(...following.data);
    answer.next = following.next;
  }
  return answer;
}

/** @param {string} path @param {Record<string, any>} [params] @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>} */
export function askAirflow(path, params = {}, options = {}) {
  return get(new URL(path, AIRFLOW), params, options.signal);
}

/** @param {URL} url @param {Record<string, any>} params @param {AbortSignal} [signal] */
async function get(url, params, signal) {
  for (const [name, value] of Object.entries(params)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null && each !== "") url.searchParams.append(name, String(each));
    }
  }
  const limit = AbortSignal.timeout(LONGEST_MILLISECONDS);
  let response;
  try {
    const headers = { Accept: "application/json" };
    response = await fetch(url, { headers, signal: signal ? AbortSignal.any([signal, limit]) : limit });
    if (response.ok) return current(await response.json(), response.headers.get("Market-As-Of"));
  } catch (error) {
    if (signal?.aborted) throw error;
    const detail = limit.aborted ? `no answer within ${LONGEST_MILLISECONDS / 1000} seconds` : String(error);
    throw new Problem(0, "No answer", `${url.pathname}: ${detail}`);
  }
  throw await problemOf(response);
}

/** What the browser kept because nothing has changed (304) was read again all the same: the header says when.
 * @param {any} answer @param {string | null} readAt */
function current(answer, readAt) {
  return readAt ? { ...answer, as_of: readAt } : answer;
}

/** @param {Response} response */
async function problemOf(response) {
  const told = await response.json().catch(() => ({}));
  const detail = typeof told.detail === "string" ? told.detail : `${response.url} answered ${response.status}`;
  return new Problem(response.status, told.title ?? response.statusText, detail);
}
