-- `url.parse(text)`
-- The parts of an absolute URL; the port is the scheme's own where none is written, query and fragment may be nil.

return url.parse("https://files.example/orders?state=open#top")
-- result: {"scheme":"https","host":"files.example","port":443,"path":"/orders","query":"state=open","fragment":"top"}
