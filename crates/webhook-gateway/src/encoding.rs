//! Compressed bodies (RFC 9110 section 8.4). Pure.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// How a body was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    /// The zlib format; RFC 9110 calls it so.
    Deflate,
}

/// Why a body cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecodable {
    /// It would be over the limit.
    TooLarge,
    /// It is not what the header says.
    Corrupt,
}

impl Encoding {
    /// What the headers say; `None` is another encoding, or several on top of each other.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut encoding = Self::Identity;
        for value in headers.get_all(CONTENT_ENCODING) {
            for name in value.to_str().ok()?.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let named = match name.to_ascii_lowercase().as_str() {
                    "identity" => continue,
                    "gzip" | "x-gzip" => Self::Gzip,
                    "deflate" => Self::Deflate,
                    _ => return None,
                };
                if encoding != Self::Identity {
                    return None;
                }
                encoding = named;
            }
        }
        Some(encoding)
    }

    /// Decompresses a body up to `max` bytes; stops there, so that a small body cannot become a large one.
    pub(crate) fn decode(self, body: &Bytes, max: usize) -> Result<Bytes, Undecodable> {
        match self {
            _ if body.is_empty() => Ok(Bytes::new()),
            Self::Identity => Ok(body.clone()),
            Self::Gzip => up_to(max, MultiGzDecoder::new(&body[..])),
            Self::Deflate => up_to(max, ZlibDecoder::new(&body[..])),
        }
    }
}

fn up_to(max: usize, decoder: impl Read) -> Result<Bytes, Undecodable> {
    let mut plain = Vec::new();
    let one_more = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(one_more).read_to_end(&mut plain).map_err(|_| Undecodable::Corrupt)?;
    if plain.len() > max { Err(Undecodable::TooLarge) } else { Ok(plain.into()) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(plain: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap().into()
    }

    fn deflate(plain: &[u8]) -> Bytes {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn the_header_names_at_most_one_known_encoding() {
        let cases: [(&[&str], Option<Encoding>); 10] = [
            (&[], Some(Encoding::Identity)),
            (&["identity"], Some(Encoding::Identity)),
            (&["gzip"], Some(Encoding::Gzip)),
            (&["X-GZip"], Some(Encoding::Gzip)),
            (&["deflate"], Some(Encoding::Deflate)),
            (&["identity, gzip,"], Some(Encoding::Gzip)),
            (&["br"], None),
            (&["gzip, gzip"], None),
            (&["gzip", "deflate"], None),
            (&["gzip;q=1"], None),
        ];
        for (values, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, value.parse().unwrap());
            }
            assert_eq!(Encoding::of(&headers), expected, "{values:?}");
        }
    }

    #[test]
    fn a_body_comes_back_as_it_was_before_compression() {
        let plain = Bytes::from_static(b"{\"a\": 1}");
        assert_eq!(Encoding::Gzip.decode(&gzip(&plain), 8), Ok(plain.clone()));
        assert_eq!(Encoding::Deflate.decode(&deflate(&plain), 8), Ok(plain.clone()));
        assert_eq!(Encoding::Identity.decode(&plain, 8), Ok(plain.clone()));
        let members = Bytes::from([&gzip(b"{\"a\":")[..], &gzip(b" 1}")].concat());
        assert_eq!(Encoding::Gzip.decode(&members, 8), Ok(plain));
        assert_eq!(Encoding::Gzip.decode(&Bytes::new(), 8), Ok(Bytes::new()));
    }

    #[test]
    fn a_bomb_is_stopped_and_garbage_is_told_apart() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert_eq!(Encoding::Gzip.decode(&bomb, 1 << 20), Err(Undecodable::TooLarge));
        let whole = gzip(b"{\"a\": 1}");
        for corrupt in [&b"{\"a\": 1}"[..], &whole[..whole.len() - 1], &deflate(b"{}")] {
            assert_eq!(Encoding::Gzip.decode(&Bytes::copy_from_slice(corrupt), 100), Err(Undecodable::Corrupt));
        }
    }
}
