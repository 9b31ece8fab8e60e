//! The server: how it starts and ends, and how calls reach it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use shared::time::Clock;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::api::{Answer, Fate};
use crate::messages::Sent;
use crate::{BOT_TOKEN, World};

/// Nothing takes longer on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);
/// Whoever waits for a call lets time pass this often.
const LOOK: Duration = Duration::from_millis(20);
/// Whoever waits for the clock looks at it this often.
const GLANCE: Duration = Duration::from_millis(5);
/// Connections that may wait until they are taken.
const BACKLOG: u32 = 1_024;

/// What is done while somebody waits.
type Pass = Box<dyn Fn(u32) + Send + Sync>;

/// Telegram, as one bot sees it.
pub struct TelegramServer {
    pub(crate) world: Arc<Mutex<World>>,
    address: SocketAddr,
    gate: Arc<Semaphore>,
    pub(crate) changed: Arc<Notify>,
    serving: Mutex<Option<JoinHandle<()>>>,
    /// Keeps the port while nobody listens there.
    held: Mutex<Option<TcpSocket>>,
    pass: Mutex<Option<Pass>>,
}

pub(crate) fn locked(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TelegramServer {
    /// A server on a free port, with groups of these ids.
    pub async fn start(clock: Arc<dyn Clock>, groups: &[i64]) -> Self {
        Self::start_at("127.0.0.1:0", clock, groups).await
    }

    /// A server at an address that somebody was told before.
    pub async fn start_at(address: &str, clock: Arc<dyn Clock>, groups: &[i64]) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = Self {
            world: Arc::new(Mutex::new(World::new(clock, groups))),
            address,
            gate: Arc::new(Semaphore::new(0)),
            changed: Arc::new(Notify::new()),
            serving: Mutex::new(None),
            held: Mutex::new(None),
            pass: Mutex::new(None),
        };
        server.serve(listener);
        server
    }

    /// For `TELEGRAM_API_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What lets time pass while somebody waits for a call: a bot that keeps the limits makes it only later. It is told
    /// how often it did so before in the same wait.
    pub fn while_waiting(&self, pass: impl Fn(u32) + Send + Sync + 'static) {
        *self.pass.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(pass));
    }

    /// Waits until `condition` holds; it is looked at after each call.
    pub async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let held = async {
            let mut looks = tokio::time::interval(LOOK);
            // After a stall, the looks that were missed would let all their time pass at once.
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            looks.tick().await;
            let mut before = 0;
            loop {
                let mut changed = std::pin::pin!(self.changed.notified());
                changed.as_mut().enable();
                if condition(self) {
                    return;
                }
                tokio::select! {
                    () = changed => {}
                    _ = looks.tick() => {
                        if let Some(pass) = &*self.pass.lock().unwrap_or_else(PoisonError::into_inner) {
                            pass(before);
                            before += 1;
                        }
                    }
                }
            }
        };
        let held = tokio::time::timeout(DEADLINE, held).await;
        assert!(held.is_ok(), "never: {what}; the group has {:#?}", self.sent());
    }

    /// Waits until the bot has put `count` messages into chats, and answers them.
    pub async fn until_sent(&self, count: usize) -> Vec<Sent> {
        self.until(&format!("{count} messages"), |server| locked(&server.world).sent.len() >= count).await;
        self.sent()
    }

    /// Lets `count` slow calls be answered.
    pub fn release(&self, count: usize) {
        self.gate.add_permits(count);
    }

    /// Nobody answers at this address any more: connections are refused, open ones end. Nobody else gets it meanwhile.
    pub async fn die(&self) {
        if let Some(serving) = self.cut_off() {
            // It listens until it has ended; that it was cut off is no news.
            let _ = serving.await;
        }
        let held = TcpSocket::new_v4().expect("a socket");
        held.set_reuseaddr(true).expect("an address that was in use a moment ago may be taken");
        held.bind(self.address).expect("nobody listens any more");
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

    /// Comes back at the same address.
    pub fn revive(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take().expect("it is dead");
        self.serve(held.listen(BACKLOG).expect("the port was kept"));
    }

    fn cut_off(&self) -> Option<JoinHandle<()>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner).take().inspect(JoinHandle::abort)
    }

    fn serve(&self, listener: TcpListener) {
        let serving = tokio::spawn(accept(listener, self.world.clone(), self.gate.clone(), self.changed.clone()));
        *self.serving.lock().unwrap_or_else(PoisonError::into_inner) = Some(serving);
    }
}

impl Drop for TelegramServer {
    fn drop(&mut self) {
        self.cut_off();
    }
}

/// Its connections end with it.
async fn accept(listener: TcpListener, world: Arc<Mutex<World>>, gate: Arc<Semaphore>, changed: Arc<Notify>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        locked(&world).connections += 1;
        let (world, gate, changed) = (world.clone(), gate.clone(), changed.clone());
        connections.spawn(async move {
            let service = service_fn(|request| answer(&world, &gate, &changed, request));
            // An answer that is lost on purpose ends the connection with an error.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// An answer that is lost; hyper ends the connection for it.
#[derive(Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is lost")
    }
}

impl std::error::Error for Lost {}

async fn answer(
    world: &Mutex<World>,
    gate: &Semaphore,
    changed: &Notify,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let fate = locked(world).call(&path, BOT_TOKEN, &body);
    changed.notify_waiters();
    match fate {
        Fate::Answered(answer) => Ok(response(answer)),
        Fate::Delayed(answer) => {
            if let Ok(permit) = gate.acquire().await {
                permit.forget();
            }
            Ok(response(answer))
        }
        Fate::Late(answer, at) => {
            while locked(world).clock.now() < at {
                tokio::time::sleep(GLANCE).await;
            }
            Ok(response(answer))
        }
        Fate::Unanswered => Err(Lost),
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body.into()));
    *response.status_mut() = StatusCode::from_u16(answer.status).expect("a status");
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}
