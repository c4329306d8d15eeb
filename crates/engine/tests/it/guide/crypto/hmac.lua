-- `crypto.hmac(algorithm, key, data [, form])`
-- An HMAC with `"sha1"`, `"sha256"`, `"sha384"` or `"sha512"`, in the same forms.

return { hmac = crypto.hmac("sha256", "Jefe", "what do ya want for nothing?") }
-- result: {"hmac":"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"}
