//! Extended JSON in all spellings that MongoDB's tools have had, into BSON, as PyMongo would store it.

use std::fmt;

use bson::{Bson, Document};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::extended::{self, Meant};

/// Why a text is not a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Reads one document. `is_odd`: whether `NaN` and `Infinity` may stand in it.
///
/// A whole number becomes 32 bits where it fits and 64 where not, as in Python.
///
/// # Errors
///
/// If it is no JSON object, or something in it is not what its key says, such as `{"$oid": 1}`.
pub fn document(text: &[u8], is_odd: bool) -> Result<Document, Unreadable> {
    match value(text, is_odd)? {
        Bson::Document(document) => Ok(document),
        _ => Err(Unreadable("it is not a document".to_owned())),
    }
}

/// Reads one value.
///
/// # Errors
///
/// As [`document`].
pub fn value(text: &[u8], is_odd: bool) -> Result<Bson, Unreadable> {
    let plain = if is_odd { Some(spelled_out(text)) } else { None };
    let mut from = serde_json::Deserializer::from_slice(plain.as_deref().unwrap_or(text));
    let read = Value.deserialize(&mut from).and_then(|it| from.end().map(|()| it));
    read.map_err(|it| Unreadable(it.to_string()))
}

/// The same with `NaN`, `Infinity` and `-Infinity` as JSON can say them.
fn spelled_out(text: &[u8]) -> Vec<u8> {
    const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    let mut out = Vec::with_capacity(text.len() + 64);
    let (mut at, mut in_text) = (0, false);
    while let Some(&byte) = text.get(at) {
        let word = WORDS.iter().find(|it| !in_text && text[at..].starts_with(it.as_bytes()));
        if let Some(word) = word {
            out.extend(format!("{{\"$numberDouble\":\"{word}\"}}").bytes());
            at += word.len();
            continue;
        }
        if byte == b'"' {
            in_text = !in_text;
        }
        out.push(byte);
        at += 1;
        if in_text && byte == b'\\' {
            out.extend(text.get(at));
            at += 1;
        }
    }
    out
}

struct Value;

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Bson;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Bson, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Bson;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Bson, E> {
        Ok(Bson::Null)
    }

    fn visit_bool<E>(self, it: bool) -> Result<Bson, E> {
        Ok(Bson::Boolean(it))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Bson, E> {
        Ok(i32::try_from(it).map_or(Bson::Int64(it), Bson::Int32))
    }

    fn visit_u64<E: serde::de::Error>(self, it: u64) -> Result<Bson, E> {
        let number = i64::try_from(it);
        let number =
            number.map_err(|_| E::custom(format!("the number {it} has more than 64 bits")));
        number.and_then(|it| self.visit_i64(it))
    }

    fn visit_f64<E>(self, it: f64) -> Result<Bson, E> {
        Ok(Bson::Double(it))
    }

    fn visit_str<E>(self, it: &str) -> Result<Bson, E> {
        Ok(Bson::String(it.to_owned()))
    }

    fn visit_string<E>(self, it: String) -> Result<Bson, E> {
        Ok(Bson::String(it))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Bson, A::Error> {
        let mut list = Vec::new();
        while let Some(it) = items.next_element_seed(Self)? {
            list.push(it);
        }
        Ok(Bson::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Bson, A::Error> {
        let mut document = Document::new();
        let mut meant = None;
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Self)?;
            if meant.is_none() && key.starts_with('$') {
                meant = Meant::by(&key);
            }
            document.insert(key, value);
        }
        match meant {
            None => Ok(Bson::Document(document)),
            Some(meant) => extended::read(meant, document).map_err(A::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::{Binary, DateTime, doc, oid::ObjectId, spec::BinarySubtype};

    use super::*;

    fn read(text: &str) -> Bson {
        value(text.as_bytes(), true).unwrap_or_else(|it| panic!("{text}: {it}"))
    }

    fn wrong(text: &str) -> String {
        value(text.as_bytes(), true).unwrap_err().to_string()
    }

    #[test]
    fn numbers_have_the_width_that_python_gives_them() {
        assert_eq!(read("2147483647"), Bson::Int32(i32::MAX));
        assert_eq!(read("2147483648"), Bson::Int64(1 << 31));
        assert_eq!(read("-9223372036854775808"), Bson::Int64(i64::MIN));
        assert_eq!(read("1.0"), Bson::Double(1.0));
        assert_eq!(read("0.9990025797184102"), Bson::Double(0.999_002_579_718_410_2));
        assert_eq!(read(r#"{"$numberLong": "7"}"#), Bson::Int64(7));
        assert_eq!(read(r#"{"$numberInt": "7"}"#), Bson::Int32(7));
        assert_eq!(read(r#"{"$numberDouble": "-Infinity"}"#), Bson::Double(f64::NEG_INFINITY));
        assert!(wrong("9223372036854775808").contains("more than 64 bits"));
    }

    #[test]
    fn words_that_are_no_json_are_numbers_outside_of_texts() {
        let Bson::Array(list) = read(r#"[NaN, Infinity, -Infinity, "NaN \" NaN", {"NaN": 1}]"#)
        else {
            panic!("no list");
        };
        assert!(list[0].as_f64().unwrap().is_nan());
        assert_eq!(list[1..3], [f64::INFINITY.into(), f64::NEG_INFINITY.into()]);
        assert_eq!(list[3..], ["NaN \" NaN".into(), doc! { "NaN": 1 }.into()]);
    }

    #[test]
    fn dates_and_binaries_are_read_in_every_spelling() {
        let date = Bson::DateTime(DateTime::from_millis(1_704_164_645_123));
        for text in [
            r#"{"$date": "2024-01-02T03:04:05.123Z"}"#,
            r#"{"$date": "2024-01-02T04:04:05.123+01:00"}"#,
            r#"{"$date": "2024-01-02T04:04:05.123+0100"}"#,
            r#"{"$date": "2024-01-02T03:04:05.123"}"#,
            r#"{"$date": "2024-01-02T03:04:05.123999Z"}"#,
            r#"{"$date": 1704164645123}"#,
            r#"{"$date": {"$numberLong": "1704164645123"}}"#,
            r#"{"$date": "1704164645123"}"#,
        ] {
            assert_eq!(read(text), date, "{text}");
        }
        let binary = |subtype| Bson::Binary(Binary { subtype, bytes: b"abc".to_vec() });
        let generic = binary(BinarySubtype::Generic);
        assert_eq!(read(r#"{"$binary": {"base64": "YWJj", "subType": "00"}}"#), generic);
        assert_eq!(read(r#"{"$binary": {"base64": "YWJj", "subType": "0"}}"#), generic);
        assert_eq!(read(r#"{"$binary": "YWJj", "$type": "00"}"#), generic);
        assert_eq!(read(r#"{"$type": 0, "$binary": "YWJj"}"#), generic);
        let old = binary(BinarySubtype::BinaryOld);
        assert_eq!(
            read(r#"{"$binary": "YWJj", "$type": "ffffff82"}"#),
            binary(BinarySubtype::UserDefined(0x82))
        );
        assert_eq!(read(r#"{"$binary": "YWJj", "$type": "02"}"#), old);
    }

    #[test]
    fn a_key_with_a_dollar_that_means_nothing_stays() {
        let id = ObjectId::parse_str("6b02aa9ce13547af4387f1a1").unwrap();
        assert_eq!(read(r#"{"$oid": "6b02aa9ce13547af4387f1a1"}"#), id.into());
        assert_eq!(read(r#"{"$mine": 1}"#), doc! { "$mine": 1 }.into());
        assert_eq!(read(r#"{"$undefined": true}"#), Bson::Null);
        assert_eq!(read(r#"{"$regex": {"a": 1}}"#), doc! { "$regex": { "a": 1 } }.into());
        assert!(wrong(r#"{"$oid": "6b02"}"#).contains("$oid"));
        assert!(wrong(r#"{"$oid": "6b02aa9ce13547af4387f1a1", "a": 1}"#).contains("$oid"));
        assert!(wrong(r#"{"$date": "yesterday"}"#).contains("yesterday"));
    }

    #[test]
    fn the_last_of_two_equal_keys_counts_and_keeps_the_place_of_the_first() {
        assert_eq!(read(r#"{"a": 1, "b": 2, "a": 3}"#), doc! { "a": 3, "b": 2 }.into());
    }
}
