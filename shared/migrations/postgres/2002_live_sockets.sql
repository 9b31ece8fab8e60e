-- Live sockets are kept in memory; what an older program left here speaks of none.
drop function socket_goes(text, bigint);
drop function socket_takes_up(text, text, bigint);
drop function socket_comes(text, text, text, text, text, text, bigint, bigint, text, bigint, bigint);
drop table connection;
delete from turnstile where name = 'connection';
alter table turnstile drop column visitors;
alter table turnstile drop column admins;
