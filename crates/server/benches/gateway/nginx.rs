//! How nginx is set up.

use std::path::Path;

/// One that does this mapping at `/map`, and records nothing.
pub(crate) fn configuration(folder: &Path, port: u16, mapping: &str) -> String {
    let folder = folder.display();
    format!(
        r#"
daemon off;
{user}
pid {folder}/nginx.pid;
worker_processes auto;
error_log {folder}/error.log error;
include /etc/nginx/modules-enabled/*-mod-http-ndk.conf;
include /etc/nginx/modules-enabled/*-mod-http-lua.conf;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_buffer_size 64k;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  init_by_lua_block {{ cjson = require "cjson" }}
  server {{
    listen 127.0.0.1:{port};
    location = /map {{
      default_type application/json;
      content_by_lua_block {{
        ngx.req.read_body()
        local order = cjson.decode(ngx.req.get_body_data()){mapping}
        local body = cjson.encode(result)
        ngx.header.content_length = #body
        ngx.print(body)
      }}
    }}
  }}
}}
"#,
        // Workers of a server that root starts must still read what is in a folder of root's.
        user = if std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0) {
            "user root;"
        } else {
            ""
        },
    )
}
