//! Connections to `SQLite` that only read.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;

use super::sqlite::{Client, Place};
use super::{Error, Query, Result, Row, Wanted};

/// A query that waits for a thread.
struct Ask {
    query: Query,
    wanted: Wanted,
    answer: oneshot::Sender<Result<Vec<Row>>>,
}

/// Each connection but one has a thread of its own. On the runtime's threads for what blocks, which come and go, each would keep
/// memory for itself: three times as much in all.
#[derive(Clone)]
pub(in crate::store::sql) struct Readers {
    /// For queries that take less than to hand them to another thread.
    brief: Arc<Mutex<Client>>,
    queue: mpsc::Sender<Ask>,
}

impl Readers {
    /// Starts so many threads, which end when the last of these is dropped.
    pub(in crate::store::sql) fn start(place: &Place, threads: usize) -> Result<Self> {
        let (queue, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..threads {
            let (client, waiting) = (Client::open(place)?, waiting.clone());
            let thread = thread::Builder::new().name("reader".into());
            thread.spawn(move || answer(client, &waiting)).map_err(|error| Error::Value(error.into()))?;
        }
        Ok(Self { brief: Arc::new(Mutex::new(Client::open(place)?)), queue })
    }

    pub(super) async fn fetch(&self, query: Query, wanted: Wanted) -> Result<Vec<Row>> {
        if query.brief
            && let Ok(mut client) = self.brief.try_lock()
        {
            return client.fetch(&query, wanted);
        }
        let (answer, rows) = oneshot::channel();
        self.queue.send(Ask { query, wanted, answer }).map_err(|_| Error::Stopped)?;
        rows.await.map_err(|_| Error::Stopped)?
    }
}

/// Whoever waits for a query holds the lock, and the next one waits for that.
fn answer(mut client: Client, waiting: &Mutex<mpsc::Receiver<Ask>>) {
    loop {
        let asked = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Ask { query, wanted, answer }) = asked else { return };
        if !answer.is_closed() {
            // Whoever asked may have gone away meanwhile.
            let _ = answer.send(client.fetch(&query, wanted));
        }
    }
}
