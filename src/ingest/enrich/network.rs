//! Whose network an address is in: a mobile carrier's gateway stands for thousands of visitors, a
//! data centre for none. Tables: the CSV files of ip-location-db's `asn`; which systems count
//! stands in `data/carriers.txt` and `data/datacentres.txt`. Only the ranges of those are kept.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::ingest::enrich::lines;

/// The kind of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Network {
    /// Anything else, or unknown.
    Other,
    Carrier,
    DataCentre,
}

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    #[error("the network table {path} cannot be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error(
        "the network table {path} has a wrong line {line}; it should be \
         `first address,last address,number,name`"
    )]
    Line { path: PathBuf, line: usize },
}

/// The ranges that matter, sorted, without overlaps.
#[derive(Default)]
pub struct Networks {
    v4: Vec<Range<u32>>,
    v6: Vec<Range<u128>>,
}

struct Range<A> {
    first: A,
    last: A,
    network: Network,
}

impl Networks {
    /// Reads the tables; none is fine, then every network is another one.
    ///
    /// # Errors
    /// A file cannot be read or is no such table.
    pub fn open(paths: &[PathBuf]) -> Result<Networks, NetworkError> {
        let systems = systems();
        let mut networks = Networks::default();
        for path in paths {
            let read = |source| NetworkError::Read { path: path.clone(), source };
            let file = BufReader::with_capacity(1 << 16, File::open(path).map_err(read)?);
            networks.read(path, file, &systems)?;
        }
        networks.v4.sort_unstable_by_key(|range| range.first);
        networks.v6.sort_unstable_by_key(|range| range.first);
        networks.v4.shrink_to_fit();
        networks.v6.shrink_to_fit();
        Ok(networks)
    }

    fn read(
        &mut self,
        path: &Path,
        file: impl BufRead,
        systems: &HashMap<u32, Network>,
    ) -> Result<(), NetworkError> {
        for (at, line) in file.lines().enumerate() {
            let line =
                line.map_err(|source| NetworkError::Read { path: path.to_owned(), source })?;
            if !line.is_empty() && self.add(&line, systems).is_none() {
                return Err(NetworkError::Line { path: path.to_owned(), line: at + 1 });
            }
        }
        Ok(())
    }

    /// `None` if the line is wrong.
    fn add(&mut self, line: &str, systems: &HashMap<u32, Network>) -> Option<()> {
        let mut columns = line.splitn(4, ',');
        let (first, last) = (columns.next()?, columns.next()?);
        let number: u32 = columns.next()?.trim_matches('"').parse().ok()?;
        let Some(&network) = systems.get(&number) else { return Some(()) };
        match (first.parse().ok()?, last.parse().ok()?) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                self.v4.push(Range { first: first.to_bits(), last: last.to_bits(), network });
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                self.v6.push(Range { first: first.to_bits(), last: last.to_bits(), network });
            }
            _ => return None,
        }
        Some(())
    }

    /// The network of an address.
    pub(in crate::ingest) fn of(&self, address: IpAddr) -> Network {
        match address {
            IpAddr::V4(v4) => find(&self.v4, v4.to_bits()),
            IpAddr::V6(v6) => find(&self.v6, v6.to_bits()),
        }
    }
}

fn find<A: Copy + Ord>(ranges: &[Range<A>], address: A) -> Network {
    let behind = ranges.partition_point(|range| range.first <= address);
    match behind.checked_sub(1).map(|at| &ranges[at]) {
        Some(range) if address <= range.last => range.network,
        _ => Network::Other,
    }
}

fn systems() -> HashMap<u32, Network> {
    let number = |line: &str| -> u32 {
        let digits = line.split_whitespace().next().unwrap_or("");
        digits.parse().expect("the list in the source tree is well formed")
    };
    let carriers =
        lines(include_str!("../data/carriers.txt")).map(|l| (number(l), Network::Carrier));
    let centres =
        lines(include_str!("../data/datacentres.txt")).map(|l| (number(l), Network::DataCentre));
    carriers.chain(centres).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Network, Networks, lines, systems};

    fn table(text: &str) -> Result<Networks, super::NetworkError> {
        let dir = tempfile::tempdir().unwrap();
        let path: PathBuf = dir.path().join("asn.csv");
        std::fs::write(&path, text).unwrap();
        Networks::open(&[path])
    }

    #[test]
    fn ranges_are_inclusive_and_others_are_forgotten() {
        let networks = table(
            "203.0.113.128,203.0.113.255,16509,\"Amazon.com, Inc.\"\n\
             198.51.100.0,198.51.100.255,64496,Somebody\n\
             203.0.113.0,203.0.113.127,21928,\"T-Mobile USA, Inc.\"\n\
             2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,55836,Reliance Jio\n",
        )
        .unwrap();
        let of = |address: &str| networks.of(address.parse().unwrap());
        assert_eq!(of("203.0.113.0"), Network::Carrier);
        assert_eq!(of("203.0.113.127"), Network::Carrier);
        assert_eq!(of("203.0.113.128"), Network::DataCentre);
        assert_eq!(of("203.0.113.255"), Network::DataCentre);
        assert_eq!(of("203.0.114.0"), Network::Other);
        assert_eq!(of("198.51.100.7"), Network::Other);
        assert_eq!(of("0.0.0.0"), Network::Other);
        assert_eq!(of("2001:db8::1"), Network::Carrier);
        assert_eq!(of("2001:db8:1::"), Network::Other);
        assert_eq!((networks.v4.len(), networks.v6.len()), (2, 1));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let message =
            table("203.0.113.0,203.0.113.1,21928,x\nnonsense\n").err().unwrap().to_string();
        assert!(message.contains("line 2"), "{message}");
        assert!(table("203.0.113.0,2001:db8::,21928,x\n").is_err());
    }

    #[test]
    fn no_system_is_both() {
        let listed = lines(include_str!("../data/carriers.txt")).count()
            + lines(include_str!("../data/datacentres.txt")).count();
        assert_eq!(systems().len(), listed);
    }
}
