//! What the template's two event source mappings do on AWS: records of the stream that say something go to the notifier in
//! batches, in their order; what fails comes again; what never succeeds is given up in the end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::DynamoDbEventResponse;
use shared::Error;
use shared::event::stream::{Told, told};
use shared::time::{SECOND, Timestamp};

use crate::event;
use crate::functions::Failure;
use crate::platform::{Platform, stopped};
use crate::stream::StreamReader;

/// The function behind both.
const NOTIFIER: &str = "notifier";
/// The server is asked this often when nothing was done here; others may write too.
const POLL: Duration = Duration::from_millis(200);
/// The mappings' limits.
const BATCH: usize = 100;
const TRIES: u32 = 10;
/// How long a wake-up is kept, as the second mapping's batching window.
const WINDOW: i64 = 3 * SECOND;
/// After a failure, longer each time.
const RETRY: i64 = SECOND / 2;
const LONGEST_RETRY: i64 = 30 * SECOND;

/// Records on their way to the notifier.
#[derive(Debug)]
struct Mapping {
    waiting: VecDeque<EventRecord>,
    /// So many go at once; half as many after a batch that failed as a whole.
    size: usize,
    /// How often the first one has failed.
    tries: u32,
    not_before: Timestamp,
    /// A wake-up, and when it goes.
    wake: Option<(EventRecord, Timestamp)>,
}

/// Reads and delivers until the gateway stops.
pub(crate) async fn run(platform: Arc<Platform>, mut reader: StreamReader) {
    let mut mapping = Mapping::new();
    let mut stopping = platform.stopping.clone();
    let mut fails = false;
    loop {
        match reader.next().await {
            Ok(records) => {
                fails = false;
                mapping.add(records, platform.now());
            }
            Err(error) if !fails => {
                fails = true;
                error.log("stream");
            }
            Err(_) => {}
        }
        while let Some(batch) = mapping.due(platform.now()) {
            let answer = deliver(&platform, batch).await;
            mapping.settle(answer, platform.now());
            if platform.is_stopping() {
                return;
            }
        }
        tokio::select! {
            () = platform.jobs.stream_wanted() => {}
            () = tokio::time::sleep(POLL) => {}
            () = stopped(&mut stopping) => return,
        }
    }
}

async fn deliver(platform: &Platform, batch: Event) -> Result<DynamoDbEventResponse, Failure> {
    let span = tracing::info_span!("stream", request_id = event::request_id());
    platform.run(NOTIFIER, false, span, platform.functions.stream(NOTIFIER, batch)).await
}

impl Mapping {
    fn new() -> Self {
        Self { waiting: VecDeque::new(), size: BATCH, tries: 0, not_before: Timestamp::default(), wake: None }
    }

    fn add(&mut self, records: Vec<EventRecord>, now: Timestamp) {
        for record in records {
            match told(&record) {
                Told::Happened(..) => self.waiting.push_back(record),
                Told::Wake => {
                    self.wake.get_or_insert((record, now.plus(WINDOW)));
                }
                Told::Nothing => {}
            }
        }
    }

    /// The batch to deliver now.
    fn due(&mut self, now: Timestamp) -> Option<Event> {
        if let Some((record, _)) = self.wake.take_if(|(_, at)| *at <= now) {
            self.waiting.push_back(record);
        }
        if self.waiting.is_empty() || self.not_before > now {
            return None;
        }
        let mut batch = Event::default();
        batch.records = self.waiting.iter().take(self.size).cloned().collect();
        Some(batch)
    }

    /// Takes out what is done of the batch that was due.
    fn settle(&mut self, answer: Result<DynamoDbEventResponse, Failure>, now: Timestamp) {
        let sent = self.size.min(self.waiting.len());
        match answer {
            Ok(response) => {
                let done = first_failed(&response, self.waiting.iter().take(sent)).unwrap_or(sent);
                self.waiting.drain(..done);
                self.size = BATCH;
                if done > 0 {
                    (self.tries, self.not_before) = (0, Timestamp::default());
                }
                if done < sent {
                    self.again(now);
                }
            }
            Err(failure) => {
                failure.error().log(NOTIFIER);
                self.size = (sent / 2).max(1);
                self.again(now);
            }
        }
    }

    /// The first record has failed, or stands in a batch that has.
    fn again(&mut self, now: Timestamp) {
        self.tries += 1;
        if self.tries >= TRIES
            && let Some(record) = self.waiting.pop_front()
        {
            let place = record.change.sequence_number.unwrap_or_default();
            Error::internal(format!("the record {place} failed {TRIES} times")).log(&record.event_id);
            self.tries = 0;
        }
        let pause = (RETRY << self.tries.min(10)).min(LONGEST_RETRY);
        self.not_before = now.plus(pause);
    }
}

/// Where the first record stands that must come again. One that is not in the batch means all of it.
fn first_failed<'a>(
    response: &DynamoDbEventResponse,
    mut batch: impl Iterator<Item = &'a EventRecord>,
) -> Option<usize> {
    let failed: Vec<_> =
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_deref()).collect();
    if failed.is_empty() {
        return None;
    }
    Some(batch.position(|record| failed.contains(&record.change.sequence_number.as_deref())).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::streams::DynamoDbBatchItemFailure;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn record(place: u32) -> EventRecord {
        serde_json::from_value(json!({"awsRegion": "", "eventID": "1", "eventName": "MODIFY", "dynamodb": {
            "SizeBytes": 1, "SequenceNumber": place.to_string(),
            "Keys": {"pk": {"S": "C#c"}, "sk": {"S": "HEAD"}},
            "NewImage": {"e": {"N": "1"}, "i": {"S": "message_stored"}, "p": {"N": "1"}, "o": {"N": "1"}},
        }}))
        .unwrap()
    }

    fn wake_up() -> EventRecord {
        serde_json::from_value(json!({"awsRegion": "", "eventID": "1", "eventName": "MODIFY", "dynamodb": {
            "SizeBytes": 1, "SequenceNumber": "9", "Keys": {"pk": {"S": "LEASE#wake:telegram"}, "sk": {"S": "-"}},
        }}))
        .unwrap()
    }

    fn places(batch: Option<Event>) -> Vec<String> {
        batch.map_or_else(Vec::new, |batch| {
            batch.records.into_iter().filter_map(|record| record.change.sequence_number).collect()
        })
    }

    fn failing(place: &str) -> DynamoDbEventResponse {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(place.into());
        let mut response = DynamoDbEventResponse::default();
        response.batch_item_failures.push(failure);
        response
    }

    #[test]
    fn a_record_that_fails_comes_again_with_all_behind_it() {
        let mut mapping = Mapping::new();
        mapping.add((1..=3).map(record).collect(), NOW);

        assert_eq!(places(mapping.due(NOW)), ["1", "2", "3"]);
        mapping.settle(Ok(failing("2")), NOW);
        assert_eq!(places(mapping.due(NOW)), [""; 0]);
        let later = NOW.plus(RETRY << 1);
        assert_eq!(places(mapping.due(later)), ["2", "3"]);
        mapping.settle(Ok(DynamoDbEventResponse::default()), later);
        assert_eq!(places(mapping.due(later)), [""; 0]);
    }

    #[test]
    fn a_batch_that_fails_is_halved_until_the_poison_stands_alone_and_is_given_up() {
        let mut mapping = Mapping::new();
        mapping.add((1..=4).map(record).collect(), NOW);
        let (mut now, mut seen) = (NOW, Vec::new());

        while let Some(batch) = mapping.due(now) {
            let batch = places(Some(batch));
            let answer =
                if batch.contains(&"1".into()) { Err(Failure::Panicked) } else { Ok(DynamoDbEventResponse::default()) };
            mapping.settle(answer, now);
            now = now.plus(LONGEST_RETRY);
            seen.push(batch);
        }

        assert_eq!(seen[..3], [vec!["1", "2", "3", "4"], vec!["1", "2"], vec!["1"]]);
        assert_eq!(seen.len(), TRIES as usize + 2, "{seen:?}");
        assert_eq!(seen[seen.len() - 1], ["3", "4"]);
    }

    #[test]
    fn a_wake_up_waits_for_its_window_and_others_join_it() {
        let mut mapping = Mapping::new();
        mapping.add(vec![wake_up(), wake_up()], NOW);

        assert_eq!(places(mapping.due(NOW.plus(WINDOW - 1))), [""; 0]);
        assert_eq!(places(mapping.due(NOW.plus(WINDOW))), ["9"]);
    }
}
