//! Numbers as people read them: thousands apart, sizes in the unit that suits.

use crate::Amount;

/// `9,411`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 dataset`, `9,411 datasets`: a number and what it counts.
pub fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `1.5 KiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let Some((size, unit)) = UNITS.into_iter().find(|(size, _)| number >= *size) else {
        return format!("{number} B");
    };
    // In tenths, so that no float is needed.
    let tenths = u128::from(number) * 10 / u128::from(size);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// `4`, `up to 9`, or `4 to 9`, each in these words.
pub fn amount(it: Amount, words: fn(u64) -> String) -> String {
    match it {
        Amount { least, most } if least == most => words(most),
        Amount { least: 0, most } => format!("up to {}", words(most)),
        Amount { least, most } => format!("{} to {}", words(least), words(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        assert_eq!([9, 999, 1_000, 1_234_567].map(count), ["9", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "dataset"), "1 dataset");
        assert_eq!(counted(9_411, "dataset"), "9,411 datasets");
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_suits() {
        assert_eq!([0, 1_023, 1_536, 5 << 30].map(bytes), ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
    }

    #[test]
    fn an_amount_is_a_range_unless_it_is_known() {
        assert_eq!(amount(Amount::exactly(7), count), "7");
        assert_eq!(amount(Amount { least: 0, most: 7 }, count), "up to 7");
        assert_eq!(amount(Amount { least: 1_000, most: 2_000 }, count), "1,000 to 2,000");
    }
}
