-- Notes by which definition all rows of a subject were computed; a repeat writes nothing.
-- Key: subject. Parameters: subject, sha256, recorded_at.
insert into mart.definition as d (subject, sha256, recorded_at)
select
    %(subject)s,
    %(sha256)s,
    %(recorded_at)s
where
    not exists (
        select from mart.definition as held
        where held.subject = %(subject)s and held.sha256 = %(sha256)s
    )
on conflict (subject) do update set sha256 = excluded.sha256, recorded_at = excluded.recorded_at
