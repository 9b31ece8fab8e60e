-- The list is in the order of last_activity_at, which every message changes; its indexes only know the minute, which a message
-- seldom changes. What lies within a minute is sorted when it is read.
alter table conversation add column active_minute bigint not null default 0;
update conversation set active_minute = last_activity_at / 60000;
drop index conversation_by_status;
drop index conversation_by_site_and_status;
create index conversation_by_status on conversation (status, active_minute);
create index conversation_by_site_and_status on conversation (site, status, active_minute);

-- Rows of live sockets by side, counted where each change of them passes: to count them anew for each socket that comes takes as
-- long as there are sockets.
alter table turnstile add column visitors bigint not null default 0;
alter table turnstile add column admins bigint not null default 0;
update turnstile set visitors = (select count(*) from connection where side = 'visitor'),
    admins = (select count(*) from connection where side = 'admin') where name = 'connection';

-- What few rows have, or what is looked for seldom, is no longer in an index of all.
drop index connection_by_end;
drop index connection_by_side;
drop index connection_by_session;
drop index connection_by_conversation;
create index connection_of_admin on connection (expires_at) where side = 'admin';
create index connection_by_session on connection (session_id) where session_id is not null;
create index connection_by_conversation on connection (conversation_id) where conversation_id is not null;
