//! What is measured: Tidegate with everything in one process and its records in a SQLite file, and nginx with Lua.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::load::{Target, asked_once};
use crate::many;
use crate::shared::{Measured, eventually, free_port};

/// What both do, in the words that both know.
const MAPPING: &str = r"
local lines, total = {}, 0
for place, item in ipairs(order.items) do
  local amount = item.qty * item.price
  total = total + amount
  lines[place] = { position = place, article = string.upper(item.sku), quantity = item.qty, amount = amount }
end
local result = { order = order.id, customer = order.customer.name, city = order.customer.address.city, lines = lines, total = total }
";

/// A process under load.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) target: Target,
    process: Measured,
    /// Where Tidegate's data is, and where it listens.
    home: Option<Home>,
}

struct Home {
    program: PathBuf,
    data: PathBuf,
    port: u16,
}

/// So many Integrations are called of those that there are: more than any cache of theirs holds.
const CALLED: u32 = 50_000;

impl Subject {
    /// Starts Tidegate with so many Integrations that map.
    pub(crate) fn tidegate(program: &Path, folder: &Path, integrations: u32) -> Self {
        let data = folder.join(format!("tidegate-{integrations}"));
        let port = free_port();
        let mut process = serve(program, &data, port);
        let path = applied(program, &data, port, "acme", &format!("local order = parameters{MAPPING}return result"));
        let mut paths = vec![path];
        if integrations > 1 {
            process.stop();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(many::multiply(&data.join("tidegate.db"), integrations));
            process = serve(program, &data, port);
            eventually("Tidegate listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
            let called = integrations.min(CALLED);
            // Evenly among all, in an order that has nothing to do with that in which they were made.
            let place = |number: u32| u64::from(number) * 7919 % u64::from(called) * u64::from(integrations / called);
            paths = (0..called).map(|n| format!("/webhook/{}", many::key(u32::try_from(place(n)).unwrap()))).collect();
        }
        let name = if integrations > 1 { format!("{integrations} Integrations") } else { "Tidegate".to_owned() };
        Self {
            name,
            target: mapping(port, &paths),
            process,
            home: Some(Home { program: program.to_owned(), data, port }),
        }
    }

    /// A key that nobody has.
    pub(crate) fn nowhere(&self) -> Target {
        let path = format!("/webhook/{}", "x".repeat(43));
        target(&self.target.address, &[path]).0
    }

    /// An Integration of another tenant of this Tidegate, with this core logic.
    pub(crate) fn neighbour(&self, tenant: &str, core: &str) -> Target {
        let Home { program, data, port } = self.home.as_ref().unwrap();
        let path = applied(program, data, *port, tenant, core);
        target(&self.target.address, &[path]).0
    }

    /// Starts nginx with as many workers as there are processors; `None`, visibly, where it is not installed.
    pub(crate) fn nginx(folder: &Path) -> Option<Self> {
        let installed = Path::new("/usr/sbin/nginx").exists()
            && Path::new("/etc/nginx/modules-enabled/50-mod-http-lua.conf").exists();
        if !installed {
            println!("nginx with its Lua module is not installed: Tidegate is measured alone");
            return None;
        }
        let port = free_port();
        let folder = folder.join("nginx");
        std::fs::create_dir(&folder).unwrap();
        // What Debian's files name is looked for below the folder that nginx is told to live in.
        std::os::unix::fs::symlink("/usr/lib/nginx/modules", folder.join("modules")).unwrap();
        let configuration = folder.join("nginx.conf");
        std::fs::write(&configuration, nginx_conf(&folder, port)).unwrap();
        let mut nginx = Command::new("/usr/sbin/nginx");
        let process = Measured::new(nginx.arg("-p").arg(&folder).arg("-c").arg(&configuration).spawn().unwrap());
        eventually("nginx listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Some(Self { name: "nginx + Lua".to_owned(), target: mapping(port, &["/map".to_owned()]), process, home: None })
    }

    /// What it and its children have used so far.
    pub(crate) fn processor_time(&self) -> Duration {
        self.process.processor_time()
    }

    /// The most that it and its children have held at once, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.process.peak_memory()
    }
}

fn serve(program: &Path, data: &Path, port: u16) -> Measured {
    let mut dev = Command::new(program);
    let arguments = ["dev", "--log-level", "error", "--port", &port.to_string(), "--data-dir"];
    Measured::new(dev.args(arguments).arg(data).stdout(Stdio::null()).spawn().unwrap())
}

/// Makes an Integration of the tenant, with this core logic; answers the path of its webhook.
fn applied(program: &Path, data: &Path, port: u16, tenant: &str, core: &str) -> String {
    let made = data.with_extension(tenant);
    std::fs::create_dir(&made).unwrap();
    std::fs::write(made.join("map.lua"), core).unwrap();
    std::fs::write(made.join("tidegate.toml"), MANIFEST.replace("TENANT", tenant)).unwrap();
    let url = eventually("Tidegate makes the Integration", || {
        let mut apply = Command::new(program);
        apply.arg("apply").arg(&made).args(["--url", &format!("http://127.0.0.1:{port}"), "--admin-file"]);
        let told = apply.arg(data.join("admin.json")).stderr(Stdio::null()).output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        told.split_whitespace().find(|word| word.contains("/webhook/")).map(str::to_owned)
    });
    format!("/webhook/{}", url.split_once("/webhook/").unwrap().1)
}

const MANIFEST: &str = r#"
tenant = { id = "TENANT", name = "TENANT" }
[[logic]]
name = "map"
kind = "CORE"
file = "map.lua"
[[integration]]
name = "map"
type = "INCOMING"
http_method = "POST"
core = "map"
"#;

fn nginx_conf(folder: &Path, port: u16) -> String {
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
        local order = cjson.decode(ngx.req.get_body_data()){MAPPING}
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

/// What a shop sends: 1 KB, nested.
fn body() -> String {
    let mut text = r#"{"id":"order-1001","customer":{"id":"c-17","name":"Ada & Co.","address":{"street":"Harbour Street 12","city":"Gdansk","zip":"80-001"}},"items":["#.to_owned();
    for item in 0..18 {
        let comma = if item == 0 { "" } else { "," };
        write!(text, r#"{comma}{{"sku":"art-{item:04}","qty":{},"price":{}.25}}"#, item % 9 + 1, item + 10).unwrap();
    }
    text.push_str(r#"],"note":""#);
    text.push_str(&"x".repeat(1024 - text.len() - 2));
    text + r#""}"#
}

fn request(address: &str, path: &str, more: &str) -> Vec<u8> {
    let body = body();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

/// What is asked for at these paths, and what the first one answers.
fn target(address: &str, paths: &[String]) -> (Target, String) {
    let (status, answer) = asked_once(address, &request(address, &paths[0], "Connection: close\r\n"));
    let requests: Arc<_> = paths.iter().map(|path| request(address, path, "")).collect();
    (Target { address: address.to_owned(), requests, status, length: answer.len() }, answer)
}

/// As [`target`], where the order is mapped.
fn mapping(port: u16, paths: &[String]) -> Target {
    let (target, answer) = target(&format!("127.0.0.1:{port}"), paths);
    let told: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&told["order"], &told["lines"][1]["amount"]), (&"order-1001".into(), &22.5.into()), "{answer}");
    target
}
