//! Where each setting comes from: flag, environment, file or default, in this order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::nearest::hint;
use super::setting::{SECRET_KEYS, SETTINGS, Setting};
use super::{ConfigError, Secret};

/// Texts by key: what the flags say.
pub type Given = BTreeMap<&'static str, Vec<String>>;

/// How to ask the environment.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A setting's texts and whence they came, for messages.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) texts: Vec<String>,
    pub(super) origin: String,
}

/// All settings and secrets, not yet understood.
#[derive(Debug)]
pub(super) struct Sources {
    found: BTreeMap<&'static str, Found>,
    secrets: BTreeMap<&'static str, Secret>,
}

impl Sources {
    /// Reads environment and file. What is wrong goes to `problems`.
    pub(super) fn read(
        given: &Given,
        env: Env<'_>,
        problems: &mut Vec<String>,
    ) -> Result<Sources, ConfigError> {
        let mut file = match path_of_file(given, env) {
            Some(path) => read_file(&path, problems)?,
            None => BTreeMap::new(),
        };
        let mut found = BTreeMap::new();
        for setting in SETTINGS {
            let from_file = file.remove(setting.key);
            let texts = given.get(setting.key).filter(|texts| !texts.is_empty());
            let one = if let Some(texts) = texts {
                Some((texts.clone(), format!("--{}", setting.key)))
            } else if let Some(text) = env(&setting.env()).filter(|text| !text.is_empty()) {
                Some((vec![text], setting.env()))
            } else {
                from_file
            };
            let (texts, origin) = match (one, setting.default) {
                (Some(one), _) => one,
                (None, Some(text)) => (vec![text.to_owned()], "default".to_owned()),
                (None, None) => continue,
            };
            found.insert(setting.key, Found { texts: split(setting, texts), origin });
        }
        let secrets = SECRET_KEYS.iter().filter_map(|&key| {
            let name = format!("TALLYHOUSE_{}", key.to_ascii_uppercase().replace('-', "_"));
            match secret(&name, env) {
                Ok(secret) => secret.map(|secret| (key, secret)),
                Err(problem) => {
                    problems.push(problem);
                    None
                }
            }
        });
        let secrets = secrets.collect();
        Ok(Sources { found, secrets })
    }

    pub(super) fn get(&self, key: &str) -> Option<&Found> {
        debug_assert!(SETTINGS.iter().any(|s| s.key == key), "{key} is in the table");
        self.found.get(key)
    }

    pub(super) fn secret(&mut self, key: &str) -> Option<Secret> {
        self.secrets.remove(key)
    }
}

fn split(setting: &Setting, texts: Vec<String>) -> Vec<String> {
    if !setting.many {
        return texts;
    }
    let parts = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn path_of_file(given: &Given, env: Env<'_>) -> Option<PathBuf> {
    let flag = given.get("config").and_then(|texts| texts.last()).cloned();
    flag.or_else(|| env("TALLYHOUSE_CONFIG").filter(|text| !text.is_empty())).map(PathBuf::from)
}

type FromFile = BTreeMap<String, (Vec<String>, String)>;

/// Only an unreadable file is an error by itself; wrong keys and values are problems among others.
fn read_file(path: &Path, problems: &mut Vec<String>) -> Result<FromFile, ConfigError> {
    let shown = path.display();
    let fail = |problem: String| ConfigError { problems: vec![problem] };
    let text = std::fs::read_to_string(path)
        .map_err(|e| fail(format!("cannot read the settings file {shown}: {e}")))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        fail(format!("{shown} is not valid TOML: {}", e.to_string().trim()))
    })?;
    let known: Vec<&str> = SETTINGS.iter().map(|s| s.key).filter(|&key| key != "config").collect();
    let mut settings = FromFile::new();
    for (key, value) in table {
        let problem = if SECRET_KEYS.contains(&key.as_str()) {
            let name = format!("TALLYHOUSE_{}", key.to_uppercase().replace('-', "_"));
            format!("{shown}: `{key}` is a secret; set {name} or {name}_FILE instead")
        } else if !known.contains(&key.as_str()) {
            format!("{shown}: unknown setting `{key}`{}", hint(&key, &known))
        } else if let Some(texts) = texts_of(&value) {
            settings.insert(key.clone(), (texts, format!("{shown}: {key}")));
            continue;
        } else {
            format!("{shown}: `{key}` must be a text, a number or a list of these")
        };
        problems.push(problem);
    }
    Ok(settings)
}

fn texts_of(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Array(values) => {
            let lists = values.iter().map(texts_of).collect::<Option<Vec<_>>>()?;
            Some(lists.concat())
        }
        _ => None,
    }
}

fn secret(name: &str, env: Env<'_>) -> Result<Option<Secret>, String> {
    let file_name = format!("{name}_FILE");
    let value = env(name).filter(|text| !text.is_empty());
    let file = env(&file_name).filter(|text| !text.is_empty());
    match (value, file) {
        (Some(_), Some(_)) => Err(format!("{name} and {file_name} are both set; keep one")),
        (Some(text), None) => Ok(Some(Secret::new(text))),
        (None, None) => Ok(None),
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => Err(format!("{file_name}: {path} is empty")),
            Ok(text) => Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n'])))),
            Err(error) => Err(format!("{file_name}: cannot read {path}: {error}")),
        },
    }
}
