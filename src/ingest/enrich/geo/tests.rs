use std::net::IpAddr;

use serde_json::{Value, json};

use super::Geo;

/// Writes a MaxMind DB: a binary tree over the address bits, then the records, then the metadata.
/// <https://maxmind.github.io/MaxMind-DB/>
fn database(kind: &str, version: u8, entries: &[(&str, Value)]) -> Vec<u8> {
    // A node's halves: empty, another node, or an entry.
    let mut nodes: Vec<[Option<Result<usize, usize>>; 2]> = vec![[None; 2]];
    for (entry, (network, _)) in entries.iter().enumerate() {
        let (address, bits) = network.split_once('/').unwrap();
        let octets = match address.parse::<IpAddr>().unwrap() {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        let (bits, mut at) = (bits.parse::<usize>().unwrap(), 0);
        for bit in 0..bits {
            let side = usize::from(octets[bit / 8] >> (7 - bit % 8) & 1);
            if bit + 1 == bits {
                nodes[at][side] = Some(Err(entry));
            } else if let Some(Ok(next)) = nodes[at][side] {
                at = next;
            } else {
                nodes.push([None; 2]);
                nodes[at][side] = Some(Ok(nodes.len() - 1));
                at = nodes.len() - 1;
            }
        }
    }
    let (mut records, mut offsets) = (Vec::new(), Vec::new());
    for (_, value) in entries {
        offsets.push(records.len());
        encode(&mut records, value);
    }
    let mut file = Vec::new();
    for half in nodes.iter().flatten() {
        let number = match half {
            None => nodes.len(),
            Some(Ok(node)) => *node,
            Some(Err(entry)) => nodes.len() + 16 + offsets[*entry],
        };
        file.extend_from_slice(&(number as u32).to_be_bytes()[1..]);
    }
    file.extend_from_slice(&[0; 16]);
    file.extend_from_slice(&records);
    file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    let metadata = json!({
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1,
        "database_type": kind, "description": {}, "ip_version": version, "languages": [],
        "node_count": nodes.len(), "record_size": 24,
    });
    encode(&mut file, &metadata);
    file
}

fn encode(out: &mut Vec<u8>, value: &Value) {
    let head = |out: &mut Vec<u8>, kind: u8, size: usize| {
        assert!(size < 29, "small sizes only");
        match kind {
            1..=7 => out.push(kind << 5 | size as u8),
            _ => out.extend_from_slice(&[size as u8, kind - 7]),
        }
    };
    match value {
        Value::String(text) => {
            head(out, 2, text.len());
            out.extend_from_slice(text.as_bytes());
        }
        Value::Number(number) => {
            head(out, 5, 2);
            out.extend_from_slice(&(number.as_u64().unwrap() as u16).to_be_bytes());
        }
        Value::Array(values) => {
            head(out, 11, values.len());
            values.iter().for_each(|value| encode(out, value));
        }
        Value::Object(pairs) => {
            head(out, 7, pairs.len());
            for (key, value) in pairs {
                encode(out, &Value::String(key.clone()));
                // Readers insist on these widths.
                match (key.as_str(), value.as_u64()) {
                    ("node_count", Some(number)) => {
                        head(out, 6, 4);
                        out.extend_from_slice(&(number as u32).to_be_bytes());
                    }
                    ("build_epoch", Some(number)) => {
                        head(out, 9, 8);
                        out.extend_from_slice(&number.to_be_bytes());
                    }
                    _ => encode(out, value),
                }
            }
        }
        other => panic!("{other} is not needed"),
    }
}

fn open(files: &[Vec<u8>]) -> Geo {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..files.len()).map(|n| dir.path().join(format!("{n}.mmdb"))).collect();
    paths.iter().zip(files).for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    Geo::open(&paths).unwrap()
}

#[track_caller]
fn check(geo: &Geo, address: &str, expected: [&str; 3]) {
    let place = geo.place(address.parse().unwrap());
    assert_eq!([place.country, place.region, place.city], expected, "{address}");
}

#[test]
fn flat_records_of_both_address_families() {
    let berlin = json!({ "city": "Berlin (Mitte)", "country_code": "DE", "state1": "Berlin" });
    let lima = json!({ "country_code": "PE" });
    let geo = open(&[
        database("city ipv4", 4, &[("203.0.113.0/24", berlin), ("198.51.100.0/25", lima)]),
        database("city ipv6", 6, &[("2001:db8::/32", json!({ "country_code": "FR" }))]),
    ]);
    check(&geo, "203.0.113.200", ["DE", "Berlin", "Berlin"]);
    check(&geo, "198.51.100.1", ["PE", "", ""]);
    check(&geo, "198.51.100.200", ["", "", ""]);
    check(&geo, "2001:db8::5", ["FR", "", ""]);
    check(&geo, "2001:db9::5", ["", "", ""]);
}

#[test]
fn records_as_maxmind_lays_them_out() {
    let vienna = json!({
        "city": { "names": { "en": "Vienna" } }, "country": { "iso_code": "AT" },
        "subdivisions": [{ "names": { "en": "Vienna State" } }],
    });
    let broken = json!({ "country": { "iso_code": "austria" } });
    let networks = [("203.0.113.0/24", vienna), ("198.51.100.0/24", broken)];
    let geo = open(&[database("GeoLite2-City", 4, &networks)]);
    check(&geo, "203.0.113.1", ["AT", "Vienna State", "Vienna"]);
    check(&geo, "198.51.100.1", ["", "", ""]);
}

#[test]
fn without_files_the_place_is_unknown() {
    let geo = Geo::open(&[]).unwrap();
    assert_eq!(geo.place([203, 0, 113, 5].into()).country, "");
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("places.mmdb");
    let message = Geo::open(std::slice::from_ref(&path)).err().unwrap().to_string();
    assert!(message.contains("places.mmdb"), "{message}");
    std::fs::write(&path, b"not a database at all").unwrap();
    assert!(Geo::open(&[path]).is_err());
}
