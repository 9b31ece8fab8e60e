-- What happens to a socket's row, in one trip: shared/src/store/sql/connections.rs says what and why. Each statement of a function
-- sees what was committed before it, so that whoever has waited for the turnstile counts what those before have left. That would
-- not hold for the parts of one statement.

-- 0: there are too many; 1: stored; 2: it was there.
create function socket_comes(its_id text, its_side text, its_conversation text, its_session text, its_ip text, its_agent text,
    moment bigint, its_end bigint, its_country text, cap_of_side bigint, cap_of_ip bigint)
returns bigint language plpgsql as $$
declare
    visitor bigint := case its_side when 'admin' then 0 else 1 end;
    there connection%rowtype;
    on_side bigint;
begin
    update turnstile set turns = turns + 1, visitors = visitors + visitor, admins = admins + 1 - visitor where name = 'connection'
        returning case its_side when 'admin' then admins else visitors end into on_side;
    select * into there from connection where connection_id = its_id;
    if there.expires_at > moment then
        update turnstile set visitors = visitors - visitor, admins = admins - 1 + visitor where name = 'connection';
        return 2;
    end if;
    if there.connection_id is not null then
        delete from connection where connection_id = its_id;
        update turnstile set visitors = visitors - case there.side when 'admin' then 0 else 1 end,
            admins = admins - case there.side when 'admin' then 1 else 0 end where name = 'connection';
        on_side := on_side - case there.side when its_side then 1 else 0 end;
    end if;
    if (select count(*) from connection where ip = its_ip and expires_at > moment) >= cap_of_ip
        or (on_side > cap_of_side
            and (select count(*) from connection where side = its_side and expires_at > moment) >= cap_of_side) then
        update turnstile set visitors = visitors - visitor, admins = admins - 1 + visitor where name = 'connection';
        return 0;
    end if;
    insert into connection (connection_id, side, conversation_id, session_id, ip, user_agent, connected_at, expires_at, country)
        values (its_id, its_side, its_conversation, its_session, its_ip, its_agent, moment, its_end, its_country);
    return 1;
end
$$;

-- How many others the conversation has; null without such a socket.
create function socket_takes_up(its_id text, its_conversation text, moment bigint) returns bigint language plpgsql as $$
begin
    perform from turnstile where name = 'connection' for update;
    update connection set conversation_id = its_conversation
        where connection_id = its_id and side = 'visitor' and expires_at > moment;
    if not found then
        return null;
    end if;
    return (select count(*) from connection
        where conversation_id = its_conversation and connection_id <> its_id and expires_at > moment);
end
$$;

-- The row that was there, and how many others its conversation or its session has.
create function socket_goes(its_id text, moment bigint, out was connection, out others bigint) language plpgsql as $$
begin
    perform from turnstile where name = 'connection' for update;
    delete from connection where connection_id = its_id returning * into was;
    if not found then
        return;
    end if;
    if was.side = 'admin' then
        update turnstile set admins = admins - 1 where name = 'connection';
        others := (select count(*) from connection where session_id = was.session_id and expires_at > moment);
    else
        update turnstile set visitors = visitors - 1 where name = 'connection';
        others := (select count(*) from connection where conversation_id = was.conversation_id and expires_at > moment);
    end if;
end
$$;
