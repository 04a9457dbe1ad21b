//! Numbers and times in words, the same in the browser and on the server.

use crate::Amount;

/// A number with its thousands apart: `1,204,331`.
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

/// A number with what it counts: `1 dataset`, `2 datasets`.
pub fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", count(number))
}

/// A number with what is said of one, or of several: `1 file is`, `2 files are`.
pub fn either(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { several })
}

/// About how much that is: `3.4 MiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if number < 1_024 {
        return counted(number, "byte");
    }
    let (mut size, mut unit) = (number, 0);
    while size >= 1_024 * 1_024 && unit + 1 < UNITS.len() {
        size /= 1_024;
        unit += 1;
    }
    let (whole, tenths) = (size / 1_024, size % 1_024 * 10 / 1_024);
    let unit = UNITS[unit];
    if whole < 10 { format!("{whole}.{tenths} {unit}") } else { format!("{} {unit}", count(whole)) }
}

/// `4`, `up to 9`, or `4 to 9`, each in these words.
pub fn amount(it: Amount, words: impl Fn(u64) -> String) -> String {
    match it {
        Amount { least, most } if least == most => words(most),
        Amount { least: 0, most } => format!("up to {}", words(most)),
        Amount { least, most } => format!("{} to {}", words(least), words(most)),
    }
}

/// So many milliseconds: `0.3 s`, `12 s`, `4 min`, `2 h 5 min`, `3 days`.
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..10 => format!("{seconds}.{} s", ms % 1_000 / 100),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 if (seconds / 60).is_multiple_of(60) => format!("{} h", seconds / 3_600),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => counted(seconds / 86_400, "day"),
    }
}

/// So many milliseconds before now: `now`, `12 s ago`.
pub fn ago(ms: u64) -> String {
    if ms < 1_000 { "now".to_owned() } else { format!("{} ago", duration(ms)) }
}

/// How long after `from` `to` is, both as RFC 3339 in UTC; 0 if it is before, `None` if one of them is no such time.
pub fn between_ms(from: &str, to: &str) -> Option<u64> {
    Some(u64::try_from(epoch_ms(to)?.saturating_sub(epoch_ms(from)?)).unwrap_or(0))
}

/// A time to read: `2026-01-02 03:04:05 UTC`.
pub fn moment(time: &str) -> String {
    match (time.get(..10), time.get(11..19)) {
        (Some(day), Some(clock)) => format!("{day} {clock} UTC"),
        _ => time.to_owned(),
    }
}

/// `2026-01-02T03:04:05.678Z` as milliseconds since 1970.
fn epoch_ms(time: &str) -> Option<i64> {
    let part = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    if !time.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let seconds = part(11, 13)? * 3_600 + part(14, 16)? * 60 + part(17, 19)?;
    let ms = part(20, 23).unwrap_or(0);
    // A year that begins in March has its leap day at its end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (month * 153 + 2) / 5
        + day
        - 1
        - 719_468;
    Some((days * 86_400 + seconds) * 1_000 + ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_their_thousands_apart() {
        let told = [0, 999, 1_000, 12_345, 1_204_331].map(count);
        assert_eq!(told, ["0", "999", "1,000", "12,345", "1,204,331"]);
        assert_eq!(counted(1, "dataset"), "1 dataset");
        assert_eq!(counted(0, "dataset"), "0 datasets");
        assert_eq!(either(1, "file is", "files are"), "1 file is");
        assert_eq!(either(2_000, "file is", "files are"), "2,000 files are");
    }

    #[test]
    fn bytes_are_told_in_the_unit_that_suits() {
        let told = [1, 1_023, 1_024, 3_670_016, 20 << 30, u64::MAX].map(bytes);
        assert_eq!(told, ["1 byte", "1,023 bytes", "1.0 KiB", "3.5 MiB", "20 GiB", "16,383 PiB"]);
    }

    #[test]
    fn an_amount_is_a_range_unless_it_is_known() {
        assert_eq!(amount(Amount::exactly(7), count), "7");
        assert_eq!(amount(Amount { least: 0, most: 7 }, count), "up to 7");
        assert_eq!(amount(Amount { least: 1_000, most: 2_000 }, count), "1,000 to 2,000");
    }

    #[test]
    fn durations_are_told_as_coarsely_as_they_are_long() {
        let told = [300, 9_990, 10_000, 59_999, 60_000, 7_200_000, 7_500_000, 260_000_000];
        assert_eq!(
            told.map(duration),
            ["0.3 s", "9.9 s", "10 s", "59 s", "1 min", "2 h", "2 h 5 min", "3 days"]
        );
    }

    #[test]
    fn times_are_read_over_days_months_and_leap_years() {
        assert_eq!(epoch_ms("1970-01-01T00:00:00.000Z"), Some(0));
        assert_eq!(epoch_ms("2024-02-29T12:00:00Z"), Some(1_709_208_000_000));
        assert_eq!(epoch_ms("2026-11-23T11:52:54.007Z"), Some(1_795_434_774_007));
        assert_eq!(between_ms("2023-12-31T23:59:59.900Z", "2024-01-01T00:00:00.200Z"), Some(300));
        assert_eq!(between_ms("2024-01-01T00:00:00Z", "2023-12-31T00:00:00Z"), Some(0));
        assert_eq!(between_ms("yesterday", "2023-12-31T00:00:00Z"), None);
        assert_eq!(moment("2026-11-23T11:52:54.007Z"), "2026-11-23 11:52:54 UTC");
    }
}
