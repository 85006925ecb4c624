"""StatsD over UDP in, Prometheus text format out: what statsd_exporter does, where no binary of it can be had.

Reads the same mapping file, so that containers may run the original and a laptop this.
"""
