-- Live sockets are kept in memory; what an older program left here speaks of none.
delete from connection;
update turnstile set visitors = 0, admins = 0 where name = 'connection';
