//! What was learned of the pace, as it is kept across a restart.

/// How the rate moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Seeking,
    Climbing,
    Resting,
}

/// What was learned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::dispatch) struct Learned {
    pub(super) rate: f64,
    /// The rate that was refused last; infinite before the first refusal.
    pub(super) refused_at: f64,
    pub(super) mood: Mood,
}

/// A rate that has moved by less says nothing new.
const NOTABLE: f64 = 0.1;

impl Learned {
    /// Whether it is worth being written although the other one is.
    pub(in crate::dispatch) fn differs_from(&self, other: &Self) -> bool {
        let moved = (self.rate - other.rate).abs() > NOTABLE * other.rate;
        moved || self.refused_at.total_cmp(&other.refused_at).is_ne() || self.mood != other.mood
    }

    /// As one text: the rate, the rate that was refused, and the mood.
    pub(in crate::dispatch) fn to_text(self) -> String {
        let mood = match self.mood {
            Mood::Seeking => "seeking",
            Mood::Climbing => "climbing",
            Mood::Resting => "resting",
        };
        format!("{} {} {mood}", self.rate, self.refused_at)
    }

    /// Reads what [`Learned::to_text`] wrote.
    pub(in crate::dispatch) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse::<f64>().ok().filter(|rate| *rate > 0.0);
        let (rate, refused_at) = (number()?, number()?);
        let mood = match words.next()? {
            "seeking" => Mood::Seeking,
            "climbing" => Mood::Climbing,
            "resting" => Mood::Resting,
            _ => return None,
        };
        rate.is_finite().then_some(Self { rate, refused_at, mood })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_reads_back_as_written_and_nothing_else_does() {
        for mood in [Mood::Seeking, Mood::Climbing, Mood::Resting] {
            for (rate, refused_at) in [(20.0, f64::INFINITY), (72.3, 100.412_345), (0.5, 0.7)] {
                let learned = Learned { rate, refused_at, mood };
                assert_eq!(Learned::parse(&learned.to_text()), Some(learned));
            }
        }
        for text in ["", "20", "20 inf", "20 inf sad", "inf inf seeking", "-1 2 resting", "NaN 2 resting"] {
            assert_eq!(Learned::parse(text), None, "{text}");
        }
    }

    #[test]
    fn small_moves_of_the_rate_are_not_worth_writing() {
        let learned = Learned { rate: 50.0, refused_at: 60.0, mood: Mood::Resting };

        assert!(!Learned { rate: 54.0, ..learned }.differs_from(&learned));
        assert!(Learned { rate: 56.0, ..learned }.differs_from(&learned));
        assert!(Learned { refused_at: 61.0, ..learned }.differs_from(&learned));
        assert!(Learned { mood: Mood::Climbing, ..learned }.differs_from(&learned));
    }
}
