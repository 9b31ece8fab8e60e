//! Codes: whose they are, how often they may be tried, how long they live.

use futures::future::join_all;
use serde_json::json;
use shared::time::SECOND;

use crate::people::{House, RELAXED, in_each_house};

/// More at once would wait longer for a database than it may take on a busy machine, and be told to come back.
const AT_ONCE: usize = 25;

/// A code that is not `code`.
fn wrong(code: &str) -> &'static str {
    if code == "111111" { "222222" } else { "111111" }
}

async fn sessions(house: &House) -> i64 {
    house.rows("session").await
}

#[tokio::test]
async fn a_code_is_worth_something_only_in_the_browser_that_asked_for_it() {
    in_each_house(RELAXED, async |house| {
        let (browser, other) = (house.newcomer(), house.newcomer());
        let cookie = browser.request_otp().await;
        let code = house.code();
        let foreign = other.request_otp().await;

        for stolen in ["", "otp_challenge=", "otp_challenge=guessed", &foreign] {
            house.newcomer().log_in(stolen, &code, "Eve").await.refuses(401, "unauthorized");
        }
        assert_eq!(sessions(house).await, 0);
        let session = browser.log_in(&cookie, &code, "Grace").await.good();

        assert_eq!(session["name"], "Grace");
        assert_eq!(session["expires_at"], "2026-11-22T22:11:03.417Z");
        assert_eq!(session["token"].as_str().unwrap().len(), 43);
        browser.log_in(&cookie, &code, "Grace").await.refuses(401, "unauthorized");
        assert_eq!(sessions(house).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_new_code_takes_the_place_of_the_one_before_in_a_browser() {
    in_each_house(RELAXED, async |house| {
        let browser = house.newcomer();
        let first_cookie = browser.request_otp().await;
        let first = house.code();
        let browser = browser.with("cookie", &first_cookie);
        let mut cookie = browser.request_otp().await;
        while house.code() == first {
            house.clock.advance(200 * SECOND);
            cookie = browser.request_otp().await;
        }

        browser.log_in(&cookie, &first, "Grace").await.refuses(401, "unauthorized");
        browser.log_in(&first_cookie, &first, "Grace").await.refuses(401, "unauthorized");
        browser.log_in(&cookie, &house.code(), "Grace").await.good();
    })
    .await;
}

#[tokio::test]
async fn the_cookie_of_a_code_is_kept_from_scripts_and_other_sites() {
    for (public_url, secure) in [("http://127.0.0.1:8000", false), ("https://chat.example.com", true)] {
        in_each_house(&[("PUBLIC_URL", public_url)], async |house| {
            let answer = house.newcomer().without("origin").post("/api/admin/request_otp", json!({})).await;
            let cookie = answer.header("set-cookie").unwrap().to_owned();

            for part in ["otp_challenge=", "; HttpOnly", "; SameSite=Strict", "; Path=/api/admin", "; Max-Age=300"] {
                assert!(cookie.contains(part), "{cookie}");
            }
            assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert!(!answer.text.contains(&house.code()));
        })
        .await;
    }
}

#[tokio::test]
async fn a_code_lives_for_five_minutes() {
    in_each_house(RELAXED, async |house| {
        let (early, late) = (house.newcomer(), house.newcomer());
        let first = (early.request_otp().await, house.code());
        let second = (late.request_otp().await, house.code());

        house.clock.advance(300 * SECOND - 1);
        early.log_in(&first.0, &first.1, "Grace").await.good();
        house.clock.advance(1);
        late.log_in(&second.0, &second.1, "Grace").await.refuses(401, "unauthorized");

        assert_eq!(sessions(house).await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_right_code_is_refused_after_five_wrong_ones_from_any_address() {
    in_each_house(RELAXED, async |house| {
        let cookie = house.newcomer().request_otp().await;
        let code = house.code();

        for count in [3, 2] {
            let browser = house.newcomer();
            for _ in 0..count {
                browser.log_in(&cookie, wrong(&code), "Eve").await.refuses(401, "unauthorized");
            }
        }

        house.newcomer().log_in(&cookie, &code, "Grace").await.refuses(401, "unauthorized");
        assert_eq!((sessions(house).await, house.home.tries().await), (0, 5));
    })
    .await;
}

#[tokio::test]
async fn the_right_code_is_taken_after_four_wrong_ones() {
    in_each_house(RELAXED, async |house| {
        let browser = house.newcomer();
        let cookie = browser.request_otp().await;
        for _ in 0..4 {
            browser.log_in(&cookie, wrong(&house.code()), "Grace").await.refuses(401, "unauthorized");
        }

        browser.log_in(&cookie, &house.code(), "Grace").await.good();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_are_counted_before_codes_are_compared() {
    in_each_house(RELAXED, async |house| {
        let cookie = house.newcomer().request_otp().await;
        let code = house.code();
        let guessers: Vec<_> = (0..99).map(|_| house.newcomer()).collect();

        for some in guessers.chunks(AT_ONCE) {
            let answers = join_all(some.iter().map(|guesser| guesser.log_in(&cookie, wrong(&code), "Eve"))).await;
            assert!(answers.iter().all(|answer| answer.status == 401));
        }

        assert_eq!(house.home.tries().await, 5);
        house.newcomer().log_in(&cookie, &code, "Eve").await.refuses(401, "unauthorized");
        assert_eq!(sessions(house).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_who_race_with_the_right_code_one_gets_in() {
    in_each_house(RELAXED, async |house| {
        let cookie = house.newcomer().request_otp().await;
        let code = house.code();
        let racers: Vec<_> = (0..100).map(|_| house.newcomer()).collect();

        let mut answers = Vec::new();
        for some in racers.chunks(AT_ONCE) {
            answers.extend(join_all(some.iter().map(|racer| racer.log_in(&cookie, &code, "Grace"))).await);
        }

        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 401)));
        assert_eq!(sessions(house).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_address_off_the_list_is_refused_before_anything_is_done_for_it() {
    in_each_house(&[("ADMIN_IP_WHITELIST", "127.0.1.2")], async |house| {
        let (inside, outside) = (house.browser_at(2), house.browser_at(3));
        outside.post("/api/admin/request_otp", json!({})).await.refuses(403, "forbidden");
        assert_eq!((house.codes_told(), house.rows("login_code").await), (0, 0));

        let cookie = inside.request_otp().await;
        outside.log_in(&cookie, &house.code(), "Eve").await.refuses(403, "forbidden");
        let session = inside.log_in(&cookie, &house.code(), "Grace").await.good();
        let token = session["token"].as_str().unwrap();
        outside.bearing(token).get("/api/admin/conversations").await.refuses(403, "forbidden");
        let ticket = inside.bearing(token).post("/api/admin/ws_ticket", json!({})).await.good();
        let path = format!("/ws/admin?ticket={}", ticket["ticket"].as_str().unwrap());
        outside.open(&path).await.map(drop).unwrap_err().refuses(403, "forbidden");

        // Refused before the ticket was looked at, so it still opens a socket where it may.
        inside.open(&path).await.unwrap();
    })
    .await;
}
