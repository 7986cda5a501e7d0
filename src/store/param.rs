//! Values of `{name:Type}` in SQL. They travel beside the statement, never inside it.

use clickhouse::query::Query;

use crate::hours::{Day, Hour};

/// The value of one query parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Param {
    U64(u64),
    I64(i64),
    Str(String),
    /// For `{x:Array(String)}`.
    Strs(Vec<String>),
    /// For `{x:Date}`.
    Date(Day),
    /// For `{x:DateTime('UTC')}`: the start of an hour.
    Hour(Hour),
    /// For `{x:DateTime64(3, 'UTC')}`: milliseconds since the Unix epoch.
    Ms(i64),
}

impl Param {
    pub(super) fn bind(&self, query: Query, name: &str) -> Query {
        match self {
            Param::U64(value) => query.param(name, value),
            Param::I64(value) => query.param(name, value),
            Param::Str(value) => query.param(name, value),
            Param::Strs(values) => query.param(name, values),
            Param::Date(day) => query.param(name, day.to_string()),
            Param::Hour(hour) => query.param(name, hour.start_s()),
            Param::Ms(ms) => query.param(name, format!("{}.{:03}", ms / 1000, ms % 1000)),
        }
    }
}

impl From<&str> for Param {
    fn from(value: &str) -> Param {
        Param::Str(value.to_owned())
    }
}

impl From<String> for Param {
    fn from(value: String) -> Param {
        Param::Str(value)
    }
}

impl From<u32> for Param {
    fn from(value: u32) -> Param {
        Param::U64(value.into())
    }
}

impl From<u64> for Param {
    fn from(value: u64) -> Param {
        Param::U64(value)
    }
}

impl From<Day> for Param {
    fn from(value: Day) -> Param {
        Param::Date(value)
    }
}

impl From<Hour> for Param {
    fn from(value: Hour) -> Param {
        Param::Hour(value)
    }
}
