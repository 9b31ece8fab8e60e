-- A new database has lost it with the table that 1001 made anew.
create index if not exists outbox_postponed on outbox (lane, not_before, conversation_id, position) where tries > 0;
