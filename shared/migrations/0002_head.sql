-- What a message used to keep in rows of its own stands in its conversation's row, which it changes anyway: the bucket of the
-- visitor's messages (when it is full again), and the counts of the latest day. conversation_day keeps the days before.
alter table conversation add column message_full_at bigint not null default 0;
alter table conversation add column day bigint not null default 0;
alter table conversation add column day_visitor bigint not null default 0;
alter table conversation add column day_admin bigint not null default 0;
create index conversation_by_day on conversation (day);
delete from bucket where key like 'message:%';
