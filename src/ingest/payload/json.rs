//! JSON of any shape, read without failing on a value of the wrong kind, so that the one field at
//! fault can be named. Depth is bounded by serde_json (128), size by the body's limit.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::limits::EVENTS_PER_POST_MAX;

/// A value that is no container.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Scalar<'a> {
    /// Absent or null.
    #[default]
    Missing,
    Text(Cow<'a, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// An object or an array where a scalar was wanted.
    Container,
}

impl<'a> Scalar<'a> {
    /// As text, the way a browser would print it.
    pub(super) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Scalar::Text(text) => Some(text),
            Scalar::Int(number) => Some(number.to_string().into()),
            Scalar::Float(number) => Some(number.to_string().into()),
            Scalar::Bool(on) => Some(if on { "true" } else { "false" }.into()),
            Scalar::Missing | Scalar::Container => None,
        }
    }

    fn into_owned(self) -> Scalar<'static> {
        match self {
            Scalar::Missing => Scalar::Missing,
            Scalar::Text(text) => Scalar::Text(Cow::Owned(text.into_owned())),
            Scalar::Int(number) => Scalar::Int(number),
            Scalar::Float(number) => Scalar::Float(number),
            Scalar::Bool(on) => Scalar::Bool(on),
            Scalar::Container => Scalar::Container,
        }
    }
}

/// A value of any kind.
#[derive(Debug, PartialEq)]
pub(super) enum Loose<'a> {
    Scalar(Scalar<'a>),
    Object(Pairs<'a>),
}

/// The pairs of an object, in order.
pub(super) type Pairs<'a> = Vec<(Cow<'a, str>, Scalar<'a>)>;

impl Default for Loose<'_> {
    fn default() -> Self {
        Loose::Scalar(Scalar::Missing)
    }
}

/// The fields of one event, unchecked.
#[derive(Debug, Default)]
pub(super) struct Raw<'a> {
    pub(super) name: Loose<'a>,
    pub(super) url: Loose<'a>,
    pub(super) domain: Loose<'a>,
    pub(super) referrer: Loose<'a>,
    pub(super) props: Loose<'a>,
    pub(super) revenue: Loose<'a>,
    pub(super) interactive: Loose<'a>,
    pub(super) hash: Loose<'a>,
    pub(super) id: Loose<'a>,
    pub(super) engaged: Loose<'a>,
    pub(super) scroll: Loose<'a>,
    pub(super) width: Loose<'a>,
}

impl<'a> Raw<'a> {
    fn field(&mut self, name: &str) -> Option<&mut Loose<'a>> {
        Some(match name {
            "n" | "name" => &mut self.name,
            "u" | "url" => &mut self.url,
            "d" | "domain" => &mut self.domain,
            "r" | "referrer" => &mut self.referrer,
            "p" | "props" | "m" | "meta" => &mut self.props,
            "$" | "revenue" => &mut self.revenue,
            "i" | "interactive" => &mut self.interactive,
            "h" | "hashMode" => &mut self.hash,
            "k" => &mut self.id,
            "e" => &mut self.engaged,
            "sd" => &mut self.scroll,
            "w" => &mut self.width,
            _ => return None,
        })
    }
}

/// A whole body.
#[derive(Debug)]
pub(super) enum Top<'a> {
    /// `None` stands for an element that is no object; `more` for elements beyond the limit.
    Events {
        raws: Vec<Option<Raw<'a>>>,
        listed: bool,
        more: bool,
    },
    Other,
}

/// The object written in a string, if there is one.
pub(super) fn object_in(text: Cow<'_, str>) -> Option<Pairs<'static>> {
    match serde_json::from_str::<Loose<'_>>(&text).ok()? {
        Loose::Object(pairs) => {
            let own = |(key, value): (Cow<'_, str>, Scalar<'_>)| {
                (Cow::Owned(key.into_owned()), value.into_owned())
            };
            Some(pairs.into_iter().map(own).collect())
        }
        Loose::Scalar(_) => None,
    }
}

/// The visitor methods of every kind of scalar.
macro_rules! scalars {
    ($wrap:expr) => {
        fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Text(Cow::Borrowed(text))))
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Text(Cow::Owned(text.to_owned()))))
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Int(number)))
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok($wrap(i64::try_from(number).map_or(Scalar::Float(number as f64), Scalar::Int)))
        }
        fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Float(number)))
        }
        fn visit_bool<E: Error>(self, on: bool) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Bool(on)))
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($wrap(Scalar::Missing))
        }
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }
    };
}

fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar<'de>;
            scalars!(|scalar| scalar);
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                skip_seq(seq).map(|()| Scalar::Container)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Container)
            }
        }
        from.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for Loose<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Loose<'de>;
            scalars!(Loose::Scalar);
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                skip_seq(seq).map(|()| Loose::Scalar(Scalar::Container))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    pairs.push((key, value));
                }
                Ok(Loose::Object(pairs))
            }
        }
        from.deserialize_any(Any)
    }
}

struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(from)? {
            Scalar::Text(text) => Ok(Key(text)),
            _ => Err(D::Error::custom("a key must be a string")),
        }
    }
}

struct Element<'a>(Option<Raw<'a>>);

fn read_fields<'de, A: MapAccess<'de>>(mut map: A) -> Result<Raw<'de>, A::Error> {
    let mut raw = Raw::default();
    while let Some(Key(key)) = map.next_key()? {
        match raw.field(&key) {
            // Both the short and the long name, or a name twice: the first that says something.
            Some(place) if *place == Loose::default() => *place = map.next_value()?,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(raw)
}

impl<'de> Deserialize<'de> for Element<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Element<'de>;
            scalars!(|_scalar: Scalar<'de>| Element(None));
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                skip_seq(seq).map(|()| Element(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                read_fields(map).map(|raw| Element(Some(raw)))
            }
        }
        from.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for Top<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Top<'de>;
            scalars!(|_scalar: Scalar<'de>| Top::Other);
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut raws = Vec::new();
                while raws.len() < EVENTS_PER_POST_MAX {
                    let Some(Element(raw)) = seq.next_element()? else { break };
                    raws.push(raw);
                }
                let more = seq.next_element::<IgnoredAny>()?.is_some();
                skip_seq(seq)?;
                Ok(Top::Events { raws, listed: true, more })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let raws = vec![Some(read_fields(map)?)];
                Ok(Top::Events { raws, listed: false, more: false })
            }
        }
        from.deserialize_any(Any)
    }
}
