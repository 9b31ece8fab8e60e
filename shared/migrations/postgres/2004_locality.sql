-- As in SQLite's 1007.
drop index message_by_client_id;
create unique index message_by_client_id on message (client_id, conversation_id);
drop index search_name_by_conversation;
alter table search_name drop constraint search_name_conversation_id_fkey;
-- A wait ends with a change of its conversation's row and is erased with it: that row need not be looked for once more.
alter table response drop constraint response_conversation_id_fkey;
