-- Where the messages of a conversation stand, sixteen that follow each other in a row of its own and the newest in the row that
-- each message changes anyway. In an index of all messages, each of them would change a page of its own.
create table message_run (
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    position bigint not null,
    numbers text not null,
    primary key (conversation_id, position)
) without rowid;
alter table conversation add column newest text not null default '[]';
insert into message_run (conversation_id, position, numbers)
    select m.conversation_id, (m.seq - 1) / 16, json_group_array(m.number order by m.seq)
    from conversation c join message m on m.conversation_id = c.conversation_id and m.seq <= c.head_seq / 16 * 16
    group by m.conversation_id, (m.seq - 1) / 16;
update conversation set newest = (
    select json_group_array(m.number order by m.seq) from message m
    where m.conversation_id = conversation.conversation_id and m.seq > conversation.head_seq / 16 * 16);
drop index message_by_place;
