//! Moments as text.

/// So many milliseconds since 1970, as RFC 3339 in UTC: `2026-01-02T03:04:05.678Z`.
pub fn time_of(ms: i64) -> String {
    let (seconds, ms) = (ms.div_euclid(1_000), ms.rem_euclid(1_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years that begin in March have their leap day at their end; 400 of them have as many days as any other 400.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::words::between_ms;

    #[test]
    fn days_of_leap_years_and_times_before_1970_are_told() {
        assert_eq!(time_of(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(time_of(1_709_208_000_000), "2024-02-29T12:00:00.000Z");
        assert_eq!(time_of(1_795_434_774_007), "2026-11-23T11:52:54.007Z");
        assert_eq!(time_of(-1), "1969-12-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn what_is_told_is_read_as_the_same_moment(ms in 0_i64..4_102_444_800_000) {
            let since = between_ms("1970-01-01T00:00:00.000Z", &time_of(ms));
            prop_assert_eq!(since, u64::try_from(ms).ok());
        }
    }
}
