-- `crypto.sha256(data [, form])`, `crypto.sha1`, `crypto.sha384`, `crypto.sha512`
-- A digest, as lower-case hex, or as its bytes where the form is `"raw"`.

return {
    sha256 = crypto.sha256("abc"),
    sha1 = crypto.sha1("abc"),
    sha384 = #crypto.sha384("abc"),
    sha512 = #crypto.sha512("abc", "raw"),
}
-- result: {"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
--   "sha1":"a9993e364706816aba3e25717850c26c9cd0d89d","sha384":96,"sha512":64}
