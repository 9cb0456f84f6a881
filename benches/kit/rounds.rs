//! Rounds: what is compared takes turns, so that a change of the machine's speed meets all of it.

use std::time::{Duration, Instant};

/// One of the things that take turns. Each call measures it once.
pub struct Lane<'a>(Box<dyn FnMut() -> f64 + 'a>);

impl<'a> Lane<'a> {
    /// Creates a lane that measures the seconds of one call, as the mean of `calls` calls.
    pub fn calls(calls: u32, mut work: impl FnMut() + 'a) -> Self {
        Self::measured(move || {
            let start = Instant::now();
            for _ in 0..calls {
                work();
            }
            start.elapsed().as_secs_f64() / f64::from(calls)
        })
    }

    /// Creates a lane that measures itself.
    pub fn measured(measure: impl FnMut() -> f64 + 'a) -> Self {
        Self(Box::new(measure))
    }
}

/// The lowest number of rounds, however long they take.
const FEWEST: usize = 3;

/// Measures the lanes in turns, after one round that is not counted. Returns the values of each
/// lane.
///
/// It ends after `rounds` rounds, or after the first round beyond `budget` if there were three.
pub fn interleave<const N: usize>(
    rounds: usize,
    budget: Duration,
    mut lanes: [Lane<'_>; N],
) -> [Vec<f64>; N] {
    let start = Instant::now();
    let mut values = [const { Vec::new() }; N];
    for Lane(measure) in &mut lanes {
        measure();
    }
    for round in 0..rounds.max(FEWEST) {
        if round >= FEWEST && start.elapsed() > budget {
            break;
        }
        for (Lane(measure), values) in lanes.iter_mut().zip(&mut values) {
            values.push(measure());
        }
    }
    values
}

/// Returns the value below which this part of the values lies; NaN if there are none.
pub fn percentile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a position in the values"
    )]
    let place = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn lanes_take_turns() {
        let order = RefCell::new(String::new());
        let lane = |name: char| {
            let order = &order;
            Lane::measured(move || {
                order.borrow_mut().push(name);
                1.0
            })
        };
        let [ours, reference] = interleave(4, Duration::from_secs(60), [lane('a'), lane('b')]);
        assert_eq!((ours.len(), reference.len()), (4, 4));
        assert_eq!(*order.borrow(), "ababababab");
    }

    #[test]
    fn budget_ends_rounds() {
        let [values] = interleave(1_000, Duration::ZERO, [Lane::measured(|| 1.0)]);
        assert_eq!(values.len(), FEWEST);
    }

    #[test]
    fn percentiles_of_unsorted_values() {
        let values: Vec<f64> = [5.0, 1.0, 4.0, 2.0, 3.0].into();
        let found = [0.0, 0.5, 1.0].map(|part| percentile(&values, part).to_bits());
        assert_eq!(found, [1.0_f64, 3.0, 5.0].map(f64::to_bits));
        assert!(percentile(&[], 0.5).is_nan());
    }
}
