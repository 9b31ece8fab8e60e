-- As in 2002.
drop table connection;
delete from turnstile where name = 'connection';
alter table turnstile drop column visitors;
alter table turnstile drop column admins;
