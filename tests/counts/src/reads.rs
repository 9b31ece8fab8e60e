//! Reading costs the same however much there is.

use std::path::{Path, PathBuf};

use serde_json::json;
use shared::auth::Actor;
use shared::desk;
use shared::model::Message;
use shared::search::terms;
use shared::store::{PageRequest, Store};
use shared::time::DAY;

use crate::fill::{CONVERSATION, Filling, TOKEN, url};
use crate::house::{House, now};
use crate::multiply::{APART, multiply};
use crate::report::Report;
use crate::words::{Texts, word};
use crate::{Result, callgrind};

/// How often a work is done in the two runs. With more it costs the same, to two hundredths.
const TIMES: (u32, u32) = (5, 15);
/// A work may cost so many times as much where there is much.
const FLAT: f64 = 1.2;
/// A page of what is read.
const PAGE: usize = 10;
/// What there is little of, and much.
const HISTORY: (usize, usize) = (50, 50_000);
const LIST: (usize, usize) = (PAGE, 10_000);
const SEARCHED: usize = 1_000;
const TIMES_SEARCHED: u32 = 1_000;
/// Messages of one conversation among those that are searched.
const EACH: usize = 10;
/// A word that nothing else begins like, and one that begins like the most frequent ones.
const RARE: &str = "xylophone";
const BURIED: &str = "baby";

/// Figures of resuming, listing, searching.
pub async fn measure(report: &mut Report, folder: &Path) -> Result<()> {
    let (few, many) = (history(folder, HISTORY.0).await?, history(folder, HISTORY.1).await?);
    compare(report, folder, "resume", &few, &many)?;
    let (few, many) = (list(folder, LIST.0).await?, list(folder, LIST.1).await?);
    compare(report, folder, "list", &few, &many)?;
    let (few, many) = (searched(folder, 1).await?, searched(folder, TIMES_SEARCHED).await?);
    for work in ["search-frequent", "search-rare", "search-buried"] {
        compare(report, folder, work, &few, &many)?;
    }
    Ok(())
}

fn compare(report: &mut Report, folder: &Path, work: &str, few: &Path, many: &Path) -> Result<()> {
    let cost = |file: &Path| callgrind::of_one_more(&["reads", work, &url(file)], folder, TIMES);
    let (few, many) = (cost(few)?, cost(many)?);
    eprintln!("{work}: {few:.0} instructions where there is little, {many:.0} where there is much");
    report.add(&format!("{work}: instructions, much to little"), many / few, FLAT, 1.0)
}

/// One conversation.
async fn history(folder: &Path, messages: usize) -> Result<PathBuf> {
    let filling = Filling::open(folder.join(format!("history-{messages}.db")), now()).await?;
    filling.conversations(&[CONVERSATION.to_owned()]).await?;
    let said: Vec<_> = (0..messages).map(|number| (CONVERSATION.to_owned(), format!("number {number:080}"))).collect();
    filling.messages(&said).await?;
    Ok(filling.file)
}

/// Many conversations, of one message each.
async fn list(folder: &Path, conversations: usize) -> Result<PathBuf> {
    let filling = Filling::open(folder.join(format!("list-{conversations}.db")), now().plus(-2 * DAY)).await?;
    let ids: Vec<String> = (1..=conversations).map(id).collect();
    filling.conversations(&ids).await?;
    let said: Vec<_> = ids.into_iter().map(|id| (id, "Where is my parcel?".to_owned())).collect();
    filling.messages(&said).await?;
    Ok(filling.file)
}

/// A page of messages with words that no other has, and newer ones: a thousand of a hundred conversations, `times` over.
async fn searched(folder: &Path, times: u32) -> Result<PathBuf> {
    let old = Filling::open(folder.join(format!("searched-{times}.db")), now().plus(-10_000 * DAY)).await?;
    old.conversations(&[CONVERSATION.to_owned()]).await?;
    let said: Vec<_> = (0..PAGE).map(|_| (CONVERSATION.to_owned(), format!("{RARE} {BURIED}"))).collect();
    old.messages(&said).await?;
    let filling = Filling { began: now().plus(-i64::from(times) * APART), ..old };
    let ids: Vec<String> = (1..=SEARCHED / EACH).map(id).collect();
    filling.conversations(&ids).await?;
    let mut texts = Texts::new();
    let said: Vec<_> = (0..SEARCHED).map(|number| (ids[number % ids.len()].clone(), texts.next())).collect();
    filling.messages(&said).await?;
    let file = filling.file.clone();
    drop(filling);
    if times > 1 {
        multiply(&file, times, CONVERSATION).await?;
    }
    let whole = Filling::open(file, now()).await?;
    whole.index().await?;
    check(&*whole.store, &ids, times).await?;
    Ok(whole.file)
}

/// Asks the store for what was written past it: it has as many messages as it should, and those of a copy are the ones that it
/// wrote itself, found by the same words.
async fn check(store: &dyn Store, ids: &[String], times: u32) -> Result<()> {
    let stored = store.figures(0, now().day(), now()).await?.messages_total;
    let expected = i64::from(times) * i64::try_from(SEARCHED)? + i64::try_from(PAGE)?;
    let (first, last) = (&ids[0], format!("{:08x}{}", times - 1, &ids[0][8..]));
    let own = store.messages(first, 0, i64::MAX, false, 100).await?;
    let copied = store.messages(&last, 0, i64::MAX, false, 100).await?;
    let texts = |messages: &[Message]| messages.iter().map(|one| one.content.clone()).collect::<Vec<_>>();
    let places = copied.iter().all(|one| one.conversation_id == last);
    let same = places && own.len() == EACH && texts(&own) == texts(&copied);
    let mut found = 0;
    let mut page = PageRequest { limit: 100, cursor: None };
    loop {
        let next = store.search(&terms(&copied[0].content), &page).await?;
        found += next.items.iter().filter(|(message, _)| message.conversation_id == last).count();
        page.cursor = next.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    if stored == expected && same && found > 0 { Ok(()) } else { Err("a copy is not what the store writes".into()) }
}

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// `counts reads WORK DATABASE TIMES`: does the work.
pub async fn repeat(work: &str, database: &str, times: u32) -> Result<()> {
    let house = House::open(database).await?;
    match work {
        "resume" => {
            let visitor = house.visitor().await?;
            let frame = json!({"type": "resume", "conversation_id": CONVERSATION, "resume_token": TOKEN});
            ask(&house, &visitor, &frame, ("messages", HISTORY.0), times).await
        }
        "list" => {
            let admin = house.admin().await?;
            ask(&house, &admin, &json!({"type": "subscribe", "limit": PAGE}), ("items", PAGE), times).await
        }
        "search-frequent" => search(&house, &word(0), PAGE, times).await,
        "search-rare" => search(&house, RARE, PAGE, times).await,
        "search-buried" => search(&house, BURIED, 0, times).await,
        _ => Err(format!("there is no work {work}").into()),
    }
}

/// Hands in a frame, again and again, that is answered with so many of something.
async fn ask(
    house: &House,
    socket: &str,
    frame: &serde_json::Value,
    (what, count): (&str, usize),
    times: u32,
) -> Result<()> {
    for _ in 0..times {
        house.frame(socket, frame).await;
    }
    let answer = house.newest()?;
    if answer[what].as_array().is_none_or(|found| found.len() != count) {
        return Err(format!("{frame} was answered with {answer}").into());
    }
    Ok(())
}

/// Looks for a word that at least so many messages have.
async fn search(house: &House, word: &str, at_least: usize, times: u32) -> Result<()> {
    let by = Actor { name: "Oya".into(), session_id: None, ip: "192.0.2.1".into() };
    let page = PageRequest { limit: i64::try_from(PAGE)?, cursor: None };
    for _ in 0..times {
        let found = desk::find(&house.app, &by, word, &page).await?.items.len();
        if found < at_least {
            return Err(format!("{found} messages with {word}").into());
        }
    }
    Ok(())
}
