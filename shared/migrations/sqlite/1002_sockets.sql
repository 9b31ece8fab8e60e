-- As in 1001. Sockets end with the process that had them, so that there is nothing to keep.
drop table connection;
create table connection (
    connection_id text primary key,
    side text not null,
    conversation_id text,
    session_id text,
    ip text not null,
    user_agent text,
    connected_at bigint not null,
    expires_at bigint not null,
    country text
) without rowid;
create index connection_of_admin on connection (expires_at) where side = 'admin';
create index connection_by_session on connection (session_id) where session_id is not null;
create index connection_by_conversation on connection (conversation_id) where conversation_id is not null;
create index connection_by_ip on connection (ip, expires_at);
update turnstile set visitors = 0, admins = 0 where name = 'connection';
