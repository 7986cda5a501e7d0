//! What somebody probably meant.

/// The known words most like `word`, best first, at most three; none when nothing is near.
/// A match with the part after the last `/` counts too: `berlin` finds `Europe/Berlin`.
pub fn nearest<S: AsRef<str>>(word: &str, known: impl IntoIterator<Item = S>) -> Vec<String> {
    let word = word.to_lowercase().replace([' ', '_'], "-");
    let mut scored: Vec<(f64, String)> = known
        .into_iter()
        .map(|k| (likeness(&word, k.as_ref()), k.as_ref().to_owned()))
        .filter(|(score, _)| *score >= 0.8)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let least = scored.first().map_or(0.0, |(best, _)| best - 0.08); // the clearly best stands alone
    scored.retain(|(score, _)| *score >= least);
    scored.into_iter().take(3).map(|(_, known)| known).collect()
}

/// ` (did you mean …?)`, or nothing.
pub fn hint<S: AsRef<str>>(word: &str, known: impl IntoIterator<Item = S>) -> String {
    match nearest(word, known) {
        near if near.is_empty() => String::new(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

fn likeness(word: &str, known: &str) -> f64 {
    let known = known.to_lowercase().replace('_', "-");
    let last = known.rsplit('/').next().unwrap_or(&known);
    strsim::jaro_winkler(word, &known).max(strsim::jaro_winkler(word, last) - 0.01)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    fn check(word: &str, known: &[&str], first: Option<&str>) {
        assert_eq!(nearest(word, known).first().map(String::as_str), first, "{word}");
    }

    #[test]
    fn near_words_are_found() {
        let zones = ["Europe/Berlin", "Europe/Brussels", "America/New_York", "UTC"];
        check("Europe/Berln", &zones, Some("Europe/Berlin"));
        check("berlin", &zones, Some("Europe/Berlin"));
        check("new york", &zones, Some("America/New_York"));
        check("xyzzy", &zones, None);
    }
}
