//! What an object with a `$` key means.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bson::{
    Binary, Bson, DateTime, Document, JavaScriptCodeWithScope, Regex, Timestamp, oid::ObjectId,
    raw::CString, spec::BinarySubtype,
};

/// A kind of value that JSON has no word for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    Oid,
    Date,
    Binary,
    Int,
    Long,
    Double,
    Decimal,
    Uuid,
    Timestamp,
    Regex,
    OldRegex,
    MinKey,
    MaxKey,
    Undefined,
    Symbol,
    Code,
}

/// Every key that says so.
const KEYS: [(&str, Meant); 16] = [
    ("$oid", Meant::Oid),
    ("$date", Meant::Date),
    ("$binary", Meant::Binary),
    ("$numberInt", Meant::Int),
    ("$numberLong", Meant::Long),
    ("$numberDouble", Meant::Double),
    ("$numberDecimal", Meant::Decimal),
    ("$uuid", Meant::Uuid),
    ("$timestamp", Meant::Timestamp),
    ("$regularExpression", Meant::Regex),
    ("$regex", Meant::OldRegex),
    ("$minKey", Meant::MinKey),
    ("$maxKey", Meant::MaxKey),
    ("$undefined", Meant::Undefined),
    ("$symbol", Meant::Symbol),
    ("$code", Meant::Code),
];

impl Meant {
    /// What this key says, if anything.
    pub fn by(key: &str) -> Option<Self> {
        KEYS.iter().find(|(it, _)| *it == key).map(|(_, meant)| *meant)
    }

    fn key(self) -> &'static str {
        KEYS.iter().find(|(_, it)| *it == self).map_or("$", |(key, _)| *key)
    }
}

/// The value that `document` stands for.
///
/// # Errors
///
/// A sentence, if it is not what its key says.
pub fn read(meant: Meant, document: Document) -> Result<Bson, String> {
    let key = meant.key();
    let parts: &[&str] = match meant {
        Meant::Binary => &["$binary", "$type"],
        Meant::OldRegex => &["$regex", "$options"],
        Meant::Code => &["$code", "$scope"],
        _ => &[key],
    };
    if meant == Meant::OldRegex && document.get_str(key).is_err() {
        // The operator of a query, not a value.
        return Ok(Bson::Document(document));
    }
    let stranger = document.keys().find(|it| !parts.contains(&it.as_str()));
    let made = match stranger {
        Some(_) => None,
        None => document.get(key).and_then(|value| made(meant, value, &document)),
    };
    made.ok_or_else(|| {
        let shown = Bson::Document(document).to_string();
        let shown: String = shown.chars().take(80).collect();
        format!("`{key}` is not what it should be: {shown}")
    })
}

fn made(meant: Meant, value: &Bson, document: &Document) -> Option<Bson> {
    let text = value.as_str();
    Some(match meant {
        Meant::Oid => ObjectId::parse_str(text?).ok()?.into(),
        Meant::Date => Bson::DateTime(date(value)?),
        Meant::Binary => Bson::Binary(binary(value, document.get("$type"))?),
        Meant::Int => Bson::Int32(text?.parse().ok()?),
        Meant::Long => Bson::Int64(text.map_or_else(|| whole(value), |it| it.parse().ok())?),
        Meant::Double => Bson::Double(double(text?)?),
        Meant::Decimal => Bson::Decimal128(text?.parse().ok()?),
        Meant::Uuid => Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: uuid(text?)? }),
        Meant::Timestamp => {
            let parts = value.as_document()?;
            let part = |key: &str| u32::try_from(whole(parts.get(key)?)?).ok();
            Bson::Timestamp(Timestamp { time: part("t")?, increment: part("i")? })
        }
        Meant::Regex => {
            let parts = value.as_document()?;
            regex(parts.get_str("pattern").ok()?, parts.get_str("options").ok()?)?
        }
        Meant::OldRegex => regex(text?, document.get_str("$options").unwrap_or_default())?,
        Meant::MinKey => Bson::MinKey,
        Meant::MaxKey => Bson::MaxKey,
        Meant::Undefined => Bson::Null,
        Meant::Symbol => Bson::String(text?.to_owned()),
        Meant::Code => match document.get("$scope") {
            None => Bson::JavaScriptCode(text?.to_owned()),
            Some(scope) => Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope {
                code: text?.to_owned(),
                scope: scope.as_document()?.clone(),
            }),
        },
    })
}

fn whole(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(it) => Some(i64::from(*it)),
        Bson::Int64(it) => Some(*it),
        _ => None,
    }
}

fn double(text: &str) -> Option<f64> {
    // Rust reads `infinity` and `nan` in any case, as Python does.
    text.trim().parse().ok()
}

fn regex(pattern: &str, options: &str) -> Option<Bson> {
    // The server wants them in order.
    let mut letters: Vec<char> = options.chars().collect();
    letters.sort_unstable();
    let options = CString::try_from(letters.into_iter().collect::<String>()).ok()?;
    let pattern = CString::try_from(pattern.to_owned()).ok()?;
    Some(Bson::RegularExpression(Regex { pattern, options }))
}

fn uuid(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|it| *it != b'-').collect();
    let pairs = digits.chunks(2).map(|it| u8::from_str_radix(str::from_utf8(it).ok()?, 16).ok());
    let bytes: Vec<u8> = pairs.collect::<Option<_>>()?;
    (bytes.len() == 16).then_some(bytes)
}

/// `{"base64": .., "subType": ..}`, or the text beside which a `$type` stands.
fn binary(value: &Bson, old_type: Option<&Bson>) -> Option<Binary> {
    let (text, subtype) = match (value, old_type) {
        (Bson::Document(parts), None) => {
            let subtype = parts.get_str("subType").ok()?;
            (parts.get_str("base64").ok()?, u32::from_str_radix(subtype, 16).ok()?)
        }
        (Bson::String(text), Some(Bson::String(subtype))) => {
            (text.as_str(), u32::from_str_radix(subtype, 16).ok()?)
        }
        (Bson::String(text), Some(other)) => (text.as_str(), u32::try_from(whole(other)?).ok()?),
        _ => return None,
    };
    // What `mongoexport` has made of types above 127.
    let subtype = if subtype >= 0xffff_ff80 { subtype & 0xff } else { subtype };
    let bytes = STANDARD.decode(text).ok()?;
    Some(Binary { subtype: u8::try_from(subtype).ok()?.into(), bytes })
}

/// A text with or without fraction and zone, or milliseconds since 1970.
fn date(value: &Bson) -> Option<DateTime> {
    let Bson::String(text) = value else { return whole(value).map(DateTime::from_millis) };
    if let Ok(millis) = text.parse::<i64>() {
        return Some(DateTime::from_millis(millis));
    }
    let (clock, zone) = split_zone(text)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    if !fraction.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    // What is finer than a millisecond is cut off, as MongoDB does.
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let seconds = DateTime::parse_rfc3339_str(format!("{clock}Z")).ok()?.timestamp_millis();
    Some(DateTime::from_millis(seconds + millis - zone * 1_000))
}

/// The text without its zone, and how many seconds the zone is ahead.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    // Behind the date, which has dashes too.
    let Some(at) = text.get(10..)?.rfind(['+', '-']).map(|it| it + 10) else {
        return Some((text, 0));
    };
    let digits = text[at + 1..].replace(':', "");
    let number = |range: std::ops::Range<usize>| -> Option<i64> { digits.get(range)?.parse().ok() };
    let seconds = match digits.len() {
        2 => number(0..2)? * 3600,
        4 => number(0..2)? * 3600 + number(2..4)? * 60,
        _ => return None,
    };
    Some((&text[..at], if text.as_bytes()[at] == b'-' { -seconds } else { seconds }))
}
