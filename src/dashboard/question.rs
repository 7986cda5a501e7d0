//! The parameters of a report.

use std::borrow::Cow;

use crate::dashboard::BadRequest;

/// A query string, decoded.
#[derive(Clone, Debug, Default)]
pub struct Question(Vec<(String, String)>);

impl Question {
    /// Reads `a=b&c=d`.
    pub fn new(query: &str) -> Question {
        Question(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The value of a parameter; empty counts as missing.
    pub fn get(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.clone())
    }

    /// A number from 0 to `max`.
    ///
    /// # Errors
    /// Names the parameter.
    pub(super) fn number(
        &self,
        name: &'static str,
        default: u32,
        max: u32,
    ) -> Result<u32, BadRequest> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text.parse().ok().filter(|n| *n <= max).ok_or_else(|| {
                BadRequest::new(name, &format!("must be a whole number, {max} at most"))
            }),
        }
    }

    /// The parameters in one order, so that the same question is the same text. `as_of` is only there
    /// to make addresses differ over time.
    pub(super) fn canonical(&self) -> String {
        let mut pairs: Vec<_> = self.0.iter().filter(|(key, _)| key != "as_of").collect();
        pairs.sort();
        let mut out = url::form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(pairs.iter().map(|(key, value)| (key, value)));
        out.finish()
    }
}

/// Reads `kind`.
///
/// # Errors
/// It is not one of the report's kinds.
pub(super) fn kind<K>(
    given: Option<String>,
    default: &'static str,
    named: impl Fn(&str) -> Option<K>,
) -> Result<K, BadRequest> {
    let text = given.map_or(Cow::Borrowed(default), Cow::Owned);
    named(&text)
        .ok_or_else(|| BadRequest::new("kind", &format!("`{text}` is not a kind of this report")))
}

#[cfg(test)]
mod tests {
    use super::Question;

    #[test]
    fn the_same_question_has_one_text() {
        let one = Question::new("until=2026-01-02&from=2026-01-01&search=a%20b&as_of=1");
        let two = Question::new("search=a+b&from=2026-01-01&until=2026-01-02");
        assert_eq!(one.canonical(), two.canonical());
        assert_eq!(one.get("search").as_deref(), Some("a b"));
        assert_eq!(one.get("missing"), None);
    }

    #[test]
    fn numbers_are_checked() {
        let question = Question::new("limit=20&offset=-1");
        assert_eq!(question.number("limit", 10, 100), Ok(20));
        assert_eq!(question.number("other", 10, 100), Ok(10));
        assert_eq!(question.number("offset", 0, 100).unwrap_err().field, "offset");
        assert!(question.number("limit", 10, 19).is_err());
    }
}
