//! Texts like those that people write: of thousands of words few are used often and most are rare (Zipf's law).

/// Distinct words.
const WORDS: u32 = 5_000;
/// So many of them have four letters, the others seven.
const SHORT: usize = 200;
const CONSONANTS: [&str; 16] = ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "y", "z"];
const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];

/// Texts without an end, the same ones each time.
pub struct Texts {
    state: u64,
    /// Sums of the words' weights.
    sums: Vec<u64>,
}

impl Texts {
    /// From the first one on.
    pub fn new() -> Self {
        let weights = (1..=u64::from(WORDS)).map(|rank| 1_000_000_000 / rank);
        let sums = weights.scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self { state: 1, sums: sums.collect() }
    }

    /// The next text: one to three words.
    pub fn next(&mut self) -> String {
        let count = 1 + self.random() % 3;
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn word(&mut self) -> String {
        let all = self.sums.last().copied().unwrap_or(1);
        let drawn = self.random() % all;
        word(self.sums.partition_point(|sum| *sum <= drawn))
    }

    /// Knuth's generator for 64 bits; its upper half is what is random.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state >> 32
    }
}

/// The word of a rank, 0 being the most frequent. Frequent words are short, and words of near ranks begin alike.
pub fn word(rank: usize) -> String {
    let syllable =
        |number: usize| [CONSONANTS[number / VOWELS.len() % CONSONANTS.len()], VOWELS[number % VOWELS.len()]];
    let beginning = [syllable(rank / 80), syllable(rank)].concat().concat();
    if rank < SHORT { beginning } else { beginning + &syllable(rank / 3).concat() + "n" }
}
