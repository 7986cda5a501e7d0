//! Where an address is, from MaxMind-format files: the flat records of ip-location-db (DB-IP City
//! Lite, CC BY 4.0) or MaxMind's own layout. Every file is optional; without one the place is
//! unknown.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use maxminddb::{Mmap, Reader, geoip2};
use serde::Deserialize;

use crate::event::Place;
use crate::ingest::enrich::cut;
use crate::limits::NAME_BYTES_MAX;

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the place file {path} cannot be read: {source}; name a MaxMind DB file (.mmdb)")]
pub struct GeoError {
    path: PathBuf,
    source: maxminddb::MaxMindDbError,
}

/// The open files, asked in order until one knows the country.
#[derive(Default)]
pub struct Geo {
    files: Vec<File>,
}

struct File {
    reader: Reader<Mmap>,
    layout: Layout,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Flat,
    MaxMind,
}

/// A record of ip-location-db. Its `city` is text where MaxMind's is a map, so the layouts cannot
/// share one type.
#[derive(Deserialize, Default)]
struct Flat<'a> {
    #[serde(borrow, default)]
    country_code: &'a str,
    #[serde(borrow, default)]
    state1: &'a str,
    #[serde(borrow, default)]
    city: &'a str,
}

impl Geo {
    /// Opens the files; none is fine. They are mapped, not read, so replace one by renaming another
    /// over it and then open anew.
    ///
    /// # Errors
    /// A file is missing or no MaxMind DB.
    pub fn open(paths: &[PathBuf]) -> Result<Geo, GeoError> {
        let open = |path: &PathBuf| {
            File::open(path).map_err(|source| GeoError { path: path.clone(), source })
        };
        Ok(Geo { files: paths.iter().map(open).collect::<Result<_, _>>()? })
    }

    /// Where an address is, as far as is known.
    pub(in crate::ingest) fn place(&self, address: IpAddr) -> Place<'_> {
        let places = self.files.iter().filter_map(|file| file.place(address));
        places.into_iter().find(|place| !place.country.is_empty()).unwrap_or_default()
    }
}

impl File {
    #[allow(unsafe_code)]
    fn open(path: &Path) -> Result<File, maxminddb::MaxMindDbError> {
        // SAFETY: the file must not change under the map. Place files are replaced by rename, never
        // written in place; `Geo::open` and the documentation say so.
        let reader = unsafe { Reader::open_mmap(path)? };
        let kind = &reader.metadata().database_type;
        let layout =
            if kind.contains("GeoLite2") || kind.contains("GeoIP2") || kind.starts_with("DBIP-") {
                Layout::MaxMind
            } else {
                Layout::Flat
            };
        Ok(File { reader, layout })
    }

    fn place(&self, address: IpAddr) -> Option<Place<'_>> {
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return None;
        }
        // A damaged record is as good as none: a visitor without a place.
        let found = self.reader.lookup(address).ok()?;
        let [country, region, city] = match self.layout {
            Layout::Flat => {
                let flat = found.decode::<Flat<'_>>().ok()??;
                [flat.country_code, flat.state1, flat.city]
            }
            Layout::MaxMind => {
                let city = found.decode::<geoip2::City<'_>>().ok()??;
                let region = city.subdivisions.first().and_then(|s| s.names.english);
                [city.country.iso_code, region, city.city.names.english]
                    .map(Option::unwrap_or_default)
            }
        };
        // DB-IP puts the quarter behind a city's name: `Berlin (Mitte)`.
        let city = city.split_once(" (").map_or(city, |(city, _)| city);
        let is_code = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        let country = if is_code { country } else { "" };
        Some(Place {
            country,
            region: cut(region, NAME_BYTES_MAX),
            city: cut(city, NAME_BYTES_MAX),
        })
    }
}

#[cfg(test)]
mod tests;
