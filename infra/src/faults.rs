//! What goes wrong on AWS now and then, on demand: for tests. A gateway that people run has none of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Which faults occur, and how often. Probabilities are from 0 to 1; the default is none at all.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// The same seed draws the same lots.
    pub seed: u64,
    /// `$disconnect` is not run.
    pub drop_disconnect: f64,
    /// `$disconnect` runs so much later.
    pub delay_disconnect: Duration,
    /// A push is answered with 200 and lost.
    pub lose_push: f64,
    /// Each message's handler starts up to so much later, so that they overtake each other.
    pub delay_messages: Duration,
}

#[derive(Debug)]
pub(crate) struct Lots {
    faults: Faults,
    state: AtomicU64,
}

impl Lots {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { state: AtomicU64::new(faults.seed), faults }
    }

    pub(crate) fn drops_disconnect(&self) -> bool {
        self.draw(self.faults.drop_disconnect)
    }

    pub(crate) fn loses_push(&self) -> bool {
        self.draw(self.faults.lose_push)
    }

    pub(crate) async fn before_disconnect(&self) {
        if !self.faults.delay_disconnect.is_zero() {
            tokio::time::sleep(self.faults.delay_disconnect).await;
        }
    }

    pub(crate) fn message_delay(&self) -> Duration {
        if self.faults.delay_messages.is_zero() {
            Duration::ZERO
        } else {
            self.faults.delay_messages.mul_f64(self.next())
        }
    }

    fn draw(&self, probability: f64) -> bool {
        probability > 0.0 && self.next() < probability
    }

    /// From 0 up to, not including, 1 (the `SplitMix64` generator).
    fn next(&self) -> f64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let high = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or_default();
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_lots() {
        let lots = |seed| {
            let lots = Lots::new(Faults { seed, lose_push: 0.3, ..Faults::default() });
            (0..1_000).map(|_| lots.loses_push()).collect::<Vec<_>>()
        };

        assert_eq!(lots(7), lots(7));
        assert_ne!(lots(7), lots(8));
        let lost = lots(7).iter().filter(|lost| **lost).count();
        assert!((200..400).contains(&lost), "{lost}");
    }

    #[test]
    fn without_faults_nothing_is_lost() {
        let lots = Lots::new(Faults::default());

        assert!((0..1_000).all(|_| !lots.loses_push() && !lots.drops_disconnect() && lots.message_delay().is_zero()));
    }
}
