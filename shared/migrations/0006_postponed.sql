-- Few events are ever postponed; whoever asks what is due asks for these, and not for all that waits before an event.
create index outbox_postponed on outbox (lane, not_before, conversation_id, position) where tries > 0;
