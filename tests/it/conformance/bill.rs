//! What a conversation costs on AWS, in what its price list counts: frames, connected minutes, invocations, units.

use std::sync::Arc;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use gateway::stream::StreamReader;
use serde_json::{Value, json};
use shared::model::{Connection, Side};
use shared::store::dynamodb::Consumed;
use shared::store::{ConnectionRows, Records};
use shared::time::{Clock, HOUR, ManualClock, SECOND};
use telegram_server::TelegramServer;

use super::budget::{Instance, admin, of_100_bytes, visitor};
use super::invocations::{passes, patterns};
use super::make::START;
use crate::figures::tell;
use crate::stores::Home;
use crate::telegram::stage::{GROUP, config};

/// us-east-1, on demand, without the free tier, in dollars a million; as listed on 2026-11-22.
mod price {
    pub const FRAMES: f64 = 1.00;
    pub const CONNECTED_MINUTES: f64 = 0.25;
    pub const INVOCATIONS: f64 = 0.20;
    pub const GB_SECONDS: f64 = 13.333_4;
    pub const WRITE_UNITS: f64 = 0.625;
    pub const READ_UNITS: f64 = 0.125;
}

/// Messages of a conversation, as many from either side.
const MESSAGES: u32 = 20;
/// How long a visitor stays, and how long an admin's panel is open for each conversation: eight hours on twenty days for a
/// thousand of them.
const VISITOR_MINUTES: f64 = 15.0;
const ADMIN_MINUTES: f64 = 9.6;
/// A function's run is taken as 10 ms at 256 MB.
const RUN_GB_SECONDS: f64 = 0.010 * 0.25;
/// API Gateway counts a frame as often as 32 KB fit into it.
const FRAME_BYTES: usize = 32 * 1024;

/// What has been used.
#[derive(Clone, Copy, Debug, Default)]
struct Bill {
    frames: u32,
    invocations: u32,
    written: f64,
    read: f64,
}

impl Bill {
    fn since(self, before: Self) -> Self {
        Self {
            frames: self.frames - before.frames,
            invocations: self.invocations - before.invocations,
            written: self.written - before.written,
            read: self.read - before.read,
        }
    }

    /// Dollars for a thousand of these, with the minutes that sockets are connected.
    fn of_a_thousand(self, connected_minutes: f64) -> f64 {
        let invocations = f64::from(self.invocations);
        let millionths = f64::from(self.frames) * price::FRAMES
            + connected_minutes * price::CONNECTED_MINUTES
            + invocations * (price::INVOCATIONS + RUN_GB_SECONDS * price::GB_SECONDS)
            + self.written * price::WRITE_UNITS
            + self.read * price::READ_UNITS;
        millionths / 1_000.0
    }
}

/// The functions `message` and `notifier`, one instance each, with what invokes the latter.
struct Functions {
    message: Instance,
    notifier: Instance,
    stream: StreamReader,
    filter: Value,
    /// So long after each other frames come.
    pause: i64,
    bill: Bill,
}

impl Functions {
    /// Where Telegram is not set up.
    async fn new(home: &Home) -> Self {
        let (_, filter) = patterns();
        Self::with(home, Instance::new(home), filter, SECOND).await
    }

    /// Where each message goes to Telegram too, which never has to be waited for.
    async fn with_telegram(home: &Home) -> (Self, TelegramServer) {
        let clock = Arc::new(ManualClock::new(START));
        let telegram = TelegramServer::start(clock.clone(), &[GROUP]).await;
        let notifier = Instance::of(home, config(&telegram.url(), &[]), clock);
        let (filter, _) = patterns();
        (Self::with(home, notifier, filter, 10 * SECOND).await, telegram)
    }

    async fn with(home: &Home, notifier: Instance, filter: Value, pause: i64) -> Self {
        let stream = home.stream().await.unwrap();
        Self { message: Instance::new(home), notifier, stream, filter, pause, bill: Bill::default() }
    }

    /// A frame comes in and all is done that it brings about.
    async fn frame(&mut self, socket: &Connection, frame: &Value) {
        self.message.clock.advance(self.pause);
        self.notifier.clock.advance(self.pause);
        let (cost, sent) = self.message.handle(socket, frame).await;
        assert!(sent.iter().all(|(_, frame)| frame["type"] != "error"), "{sent:?}");
        self.bill.invocations += 1;
        self.bill.frames += billed(frame) + sent.iter().map(|(_, frame)| billed(frame)).sum::<u32>();
        self.add(cost);
        self.notify().await;
    }

    /// Enters what was said into the search index, as the hourly schedule does if nobody has searched before.
    async fn index(&mut self) {
        let before = self.notifier.store.consumed();
        assert!(self.notifier.store.index(self.notifier.clock.now().plus(HOUR), 1).await.unwrap() > 0);
        let after = self.notifier.store.consumed();
        self.add(Consumed { read: after.read - before.read, written: after.written - before.written });
    }

    /// Hands the stream's records to the notifier, as far as the template's filter lets them pass: at most a hundred at once.
    async fn notify(&mut self) {
        loop {
            let records = self.stream.next().await.unwrap();
            if records.is_empty() {
                return;
            }
            let mut event = Event::default();
            let invokes = |one: &EventRecord| passes(&self.filter, &serde_json::to_value(one).unwrap());
            event.records = records.into_iter().filter(invokes).collect();
            if event.records.is_empty() {
                continue;
            }
            let before = self.notifier.store.consumed();
            assert!(notifier::stream(&self.notifier.app, event).await.batch_item_failures.is_empty());
            let after = self.notifier.store.consumed();
            self.bill.invocations += 1;
            self.add(Consumed { read: after.read - before.read, written: after.written - before.written });
        }
    }

    fn add(&mut self, cost: Consumed) {
        self.bill.written += cost.written;
        self.bill.read += cost.read;
    }
}

fn billed(frame: &Value) -> u32 {
    u32::try_from(frame.to_string().len().div_ceil(FRAME_BYTES)).unwrap()
}

/// A visitor comes, talks with an admin and goes; answers what all of it costs, and what the messages cost of it.
async fn conversation(functions: &mut Functions, admins: u32) -> (Bill, Bill) {
    let store = functions.message.store.clone();
    let oya = admin(&store).await;
    for _ in 1..admins {
        admin(&store).await;
    }
    functions.notify().await;
    functions.bill = Bill::default();
    let before = store.consumed();
    let socket = visitor(&store).await;
    functions.bill.invocations += 1;
    functions.add(Consumed {
        read: store.consumed().read - before.read,
        written: store.consumed().written - before.written,
    });
    functions.frame(&socket, &json!({"type": "join", "display_name": "Ada"})).await;
    let row = store.connection(&socket.connection_id, functions.message.clock.now()).await.unwrap().unwrap();
    let Side::Visitor { conversation_id: Some(id) } = row.side else { panic!("not bound") };

    let joined = functions.bill;
    for _ in 0..MESSAGES / 2 {
        functions.frame(&socket, &of_100_bytes()).await;
        let mut answer = of_100_bytes();
        (answer["type"], answer["conversation_id"]) = ("admin_message".into(), id.as_str().into());
        functions.frame(&oya, &answer).await;
    }
    functions.index().await;
    let messages = functions.bill.since(joined);

    let before = store.consumed();
    store.disconnect(&socket.connection_id, functions.message.clock.now()).await.unwrap();
    functions.bill.invocations += 1;
    functions.add(Consumed {
        read: store.consumed().read - before.read,
        written: store.consumed().written - before.written,
    });
    functions.notify().await;
    (functions.bill, messages)
}

#[tokio::test]
async fn a_message_costs_what_the_price_list_says() {
    for admins in [1, 2] {
        let home = Home::on_dynamodb().await;
        let (all, messages) = conversation(&mut Functions::new(&home).await, admins).await;
        home.leave().await;

        eprintln!("{admins} admins: {all:?}, of which the messages {messages:?}");
        let each = |count: u32| f64::from(count) / f64::from(MESSAGES);
        let with = if admins == 1 { "an admin" } else { "two admins" };
        tell(&format!("aws: frames of a message with {with}"), each(messages.frames), 3.0, 2.7);
        let minutes = VISITOR_MINUTES + f64::from(admins) * ADMIN_MINUTES;
        tell(&format!("aws: dollars for 1000 conversations with {with}"), all.of_a_thousand(minutes), 0.26, 0.09);
        if admins == 1 {
            tell("aws: write units of a message", messages.written / f64::from(MESSAGES), 4.0, 1.25);
            tell("aws: read units of a message", messages.read / f64::from(MESSAGES), 2.0, 0.05);
            tell("aws: invocations of a message", each(messages.invocations), 1.0, 1.0);
        }
        assert_eq!(messages.frames, MESSAGES * (2 + admins), "in, and out to everybody");
    }
}

#[tokio::test]
async fn a_message_that_goes_to_telegram_too_costs_what_the_price_list_says() {
    let home = Home::on_dynamodb().await;
    let (mut functions, telegram) = Functions::with_telegram(&home).await;

    let (all, messages) = conversation(&mut functions, 1).await;

    eprintln!("with Telegram: {all:?}, of which the messages {messages:?}");
    let each = |figure: f64| figure / f64::from(MESSAGES);
    tell("aws, with Telegram: write units of a message", each(messages.written), 12.0, 8.0);
    tell("aws, with Telegram: read units of a message", each(messages.read), 14.0, 8.0);
    tell("aws, with Telegram: invocations of a message", each(messages.invocations.into()), 2.0, 2.0);
    let minutes = VISITOR_MINUTES + ADMIN_MINUTES;
    tell("aws, with Telegram: dollars for 1000 conversations", all.of_a_thousand(minutes), 0.30, 0.20);
    let posts = telegram.sent().len();
    assert!(posts >= MESSAGES as usize, "each is a post of its own: {posts}");
    home.leave().await;
}
