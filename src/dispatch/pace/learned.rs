//! What was learned of the pace, as it is kept across a restart.

/// What was learned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::dispatch) struct Learned {
    pub(super) rate: f64,
    /// Where upstream's limit is taken to be; infinite before the first refusal.
    pub(super) limit: f64,
}

/// A rate or a limit that has moved by less says nothing new.
const NOTABLE: f64 = 0.1;

impl Learned {
    /// Whether it is worth being written although the other one is.
    pub(in crate::dispatch) fn differs_from(&self, other: &Self) -> bool {
        let moved = |now: f64, then: f64| (now - then).abs() > NOTABLE * then;
        let has_met_limit = self.limit.is_finite() != other.limit.is_finite();
        has_met_limit || moved(self.rate, other.rate) || moved(self.limit, other.limit)
    }

    /// As one text: the rate and the limit.
    pub(in crate::dispatch) fn to_text(self) -> String {
        format!("{} {}", self.rate, self.limit)
    }

    /// Reads what [`Learned::to_text`] wrote; a third word, which it wrote once, is left out.
    pub(in crate::dispatch) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse::<f64>().ok().filter(|rate| *rate > 0.0);
        let (rate, limit) = (number()?, number()?);
        rate.is_finite().then_some(Self { rate, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_reads_back_as_written_and_nothing_else_does() {
        for (rate, limit) in [(20.0, f64::INFINITY), (72.3, 100.412_345), (0.5, 0.7)] {
            let learned = Learned { rate, limit };
            assert_eq!(Learned::parse(&learned.to_text()), Some(learned));
            assert_eq!(
                Learned::parse(&format!("{rate} {limit} resting")),
                Some(learned),
                "an earlier version's"
            );
        }
        for text in ["", "20", "inf inf", "-1 2", "NaN 2", "20 sad"] {
            assert_eq!(Learned::parse(text), None, "{text}");
        }
    }

    #[test]
    fn small_moves_are_not_worth_writing() {
        let learned = Learned { rate: 50.0, limit: 60.0 };

        assert!(!Learned { rate: 54.0, limit: 61.0 }.differs_from(&learned));
        assert!(Learned { rate: 56.0, ..learned }.differs_from(&learned));
        assert!(Learned { limit: 67.0, ..learned }.differs_from(&learned));
        let unmet = Learned { limit: f64::INFINITY, ..learned };
        assert!(unmet.differs_from(&learned) && learned.differs_from(&unmet));
        assert!(!unmet.differs_from(&unmet));
    }
}
