# SPDX-License-Identifier: Apache-2.0
"""The programs, how each is started on loopback with throw-away data, and what it is asked.

A row: name, where it comes from, command, requests. In texts {root} is the unpacked package, {data}
an empty folder, {port} and {port2} are free ports, {db} is that of its database. A request is
"METHOD path", (that, body), or an Ask, when it makes more spans than its own.
"""
import dataclasses

from harness.otlp import CLIENT, ERROR, SERVER, UNSET
from harness.trees import Want

from . import fetch, statements
from .asks import Ask


@dataclasses.dataclass
class Program:
    name: str
    root: object                        # callable -> folder
    command: list
    requests: list
    files: dict = dataclasses.field(default_factory=dict)   # name under {data} -> text
    before: list = dataclasses.field(default_factory=list)  # commands to run first
    beside: list = dataclasses.field(default_factory=list)  # a command to run meanwhile
    env: dict = dataclasses.field(default_factory=dict)
    ready: str = "/"                    # answers something when it is up
    socket: str = ""                    # unix socket instead of {port}
    rpc_socket: str = ""                # the same for RPCs alone
    database: object = None             # of statements.py
    own: list = dataclasses.field(default_factory=list)     # names of spans of no request, made at times
    sdk: bool = False                   # it makes RPCs' spans itself, and sends them to {otlp}
    path: list = dataclasses.field(default_factory=list)    # packages whose bin and lib it needs
    needs_root: bool = False


def debian(package, suite=None):
    return lambda: fetch.debian(package, suite)


def module(path, version):
    return lambda: fetch.go_module(path, version)


# For a program that wants files of its package in /usr/share: there they are, in a mount namespace.
OWN_SHARE = ["unshare", "--mount", "sh", "-c",
             'mount --bind "$0/usr/share" /usr/share && exec "$@"', "{root}"]

INTERNAL = 1


def by_hand(name, *below):
    """A span that the program makes with OpenTelemetry's API."""
    return Want(INTERNAL, name, below=below)


def call(method, url, status):
    """A request that the program makes."""
    return Want(CLIENT, method, {"url.full": url, "http.response.status_code": status},
                status=ERROR if status >= 400 else UNSET)


def rpc(method, *below, kind=CLIENT):
    return Want(kind, method, {"rpc.method": method, "rpc.response.status_code": "OK"}, below)


def sqlite(*names):
    return tuple(Want(CLIENT, name, {"db.system.name": "sqlite"}) for name in names)


def prometheus(package, *before):
    """BEFORE: what each query begins with, when it can be read or not."""
    evaluated = by_hand("promqlExec", by_hand("promqlExecQueue"), by_hand(
        "promqlEval", by_hand("promqlPrepare"), by_hand(
            "promqlInnerEval", by_hand("promqlInnerEval eval *parser.VectorSelector"))))
    return dict(
        root=package, ready="/-/ready", files={"p.yml": "global: {scrape_interval: 1h}\n"},
        command=["{root}/usr/bin/prometheus", "--config.file={data}/p.yml",
                 "--storage.tsdb.path={data}/d", "--web.listen-address=127.0.0.1:{port}"],
        requests=["GET /-/ready", "GET /-/healthy", "GET /metrics", "GET /no/such",
                  "GET /api/v1/status/buildinfo", "GET /api/v1/label/job/values",
                  Ask("GET /api/v1/query?query=up", below=(*before, evaluated)),
                  Ask("GET /api/v1/query", below=before), Ask("POST /api/v1/query", below=before)])


CADDY = dict(
    command=["{root}/usr/bin/caddy", "run", "--config", "{data}/c.json"],
    files={"c.json": '{"admin": {"disabled": true}, "apps": {"http": {"servers": {"s": {"listen": '
                     '["127.0.0.1:{port}"], "automatic_https": {"disable": true}, "routes": ['
                     '{"match": [{"path": ["/made"]}], "handle": [{"handler": "static_response", '
                     '"status_code": 201, "body": "made"}]}, {"handle": [{"handler": '
                     '"file_server", "root": "{data}"}]}]}}}}}',
           "file.txt": "text\n"},
    env={"HOME": "{data}", "XDG_DATA_HOME": "{data}", "XDG_CONFIG_HOME": "{data}"},
    requests=["GET /made", "GET /file.txt", "HEAD /file.txt", "GET /none", "POST /made"],
    ready="/made")
CADDY_PROXY = dict(
    command=["{root}/usr/bin/caddy", "run", "--config", "{data}/c.json"],
    files={"c.json": '{"admin": {"disabled": true}, "apps": {"http": {"servers": {"s": {"listen": '
                     '["127.0.0.1:{port}"], "automatic_https": {"disable": true}, "routes": [{'
                     '"handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": '
                     '"127.0.0.1:{port2}"}]}]}]}}}}}',
           "file.txt": "text\n"},
    beside=["python3", "-m", "http.server", "{port2}", "--bind", "127.0.0.1", "--directory",
            "{data}"],
    env=CADDY["env"], ready="/file.txt",
    requests=[Ask(f"{method} {path}", below=(call(method, "http://127.0.0.1:{port2}" + path, status),))
              for method, path, status in (
                  ("GET", "/file.txt", 200), ("HEAD", "/file.txt?a=b", 200), ("GET", "/none", 404),
                  ("POST", "/file.txt", 501))])
HUGO = dict(
    command=["{root}/usr/bin/hugo", "server", "--source", "{data}", "--bind", "127.0.0.1", "--port",
             "{port}", "--watch=false", "--disableLiveReload"],
    files={"config.toml": 'baseURL = "http://127.0.0.1/"\ntitle = "t"\n',
           "layouts/index.html": "<h1>home</h1>\n", "static/a.txt": "a\n"},
    requests=["GET /", "GET /a.txt", "GET /none", "HEAD /"])
SYNCTHING = dict(
    before=[["{root}/usr/bin/syncthing", "generate", "--home={data}", "--no-default-folder"],
            ["sed", "-i", "-e", "s/<globalAnnounceEnabled>true/<globalAnnounceEnabled>false/",
             "-e", "s/<localAnnounceEnabled>true/<localAnnounceEnabled>false/",
             "-e", "s/<relaysEnabled>true/<relaysEnabled>false/",
             "-e", "s/<natEnabled>true/<natEnabled>false/",
             "-e", "s/<crashReportingEnabled>true/<crashReportingEnabled>false/",
             "-e", "s/<urAccepted>0/<urAccepted>-1/",
             "-e", "s/<startBrowser>true/<startBrowser>false/",
             "-e", "s,<listenAddress>default,<listenAddress>tcp://127.0.0.1:0,",
             "{data}/config.xml"]],
    command=["{root}/usr/bin/syncthing", "serve", "--home={data}", "--no-browser", "--no-restart",
             "--gui-address=127.0.0.1:{port}"],
    env={"STNOUPGRADE": "1", "HOME": "{data}"}, ready="/rest/noauth/health",
    requests=["GET /rest/noauth/health", "GET /rest/system/ping", "GET /", "GET /none"])
DOCKERD = dict(
    command=["{root}/usr/sbin/dockerd", "--data-root={data}/d", "--exec-root={data}/e",
             "--pidfile={data}/pid", "--host=unix://{data}/docker.sock", "--iptables=false",
             "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"],
    socket="{data}/docker.sock", ready="/_ping", needs_root=True,
    requests=["GET /_ping", "HEAD /_ping", "GET /v1.41/containers/json",
              Ask("GET /version", below=(rpc("containerd.services.version.v1.Version/Version"),)),
              Ask("GET /v1.41/info", below=(rpc("containerd.services.version.v1.Version/Version"),)),
              "GET /v1.41/images/json", "GET /v1.41/containers/none/json",
              "POST /v1.41/containers/none/start"])


def through_gateway(path, method, body, joined):
    """The gateway of etcd is a gRPC client of its own server."""
    served = rpc(method, kind=SERVER)
    if joined:
        return Ask("POST " + path, body, below=(rpc(method, served),))
    return Ask("POST " + path, body, below=(rpc(method),), apart=(served,))


def etcd_requests(joined):
    return ["GET /health", "GET /version", "GET /metrics", "GET /none",
            through_gateway("/v3/kv/put", "etcdserverpb.KV/Put",
                            '{"key": "YQ==", "value": "Yg=="}', joined),
            through_gateway("/v3/kv/range", "etcdserverpb.KV/Range", '{"key": "YQ=="}', joined),
            Ask("/etcdserverpb.KV/Put", b"\n\1a\x12\1b"), Ask("/etcdserverpb.KV/Range", b"\n\1a"),
            Ask("/etcdserverpb.KV/Range"), Ask("/etcdserverpb.Maintenance/Status"),
            Ask("/etcdserverpb.KV/None")]


ETCD = dict(
    command=["{root}/usr/bin/etcd", "--data-dir={data}/d", "--unsafe-no-fsync",
             "--listen-client-urls=http://127.0.0.1:{port}",
             "--advertise-client-urls=http://127.0.0.1:{port}",
             "--listen-peer-urls=http://127.0.0.1:{port2}"],
    ready="/health", requests=etcd_requests(joined=True))
# Connections in a struct that embeds a *net.TCPConn are not looked into (keepAliveConn).
ETCD_SID = {**ETCD, "requests": etcd_requests(joined=False)}
CONTAINERD = dict(
    command=["{root}/usr/bin/containerd", "--config", "{data}/c.toml"],
    ready="/v1/metrics", rpc_socket="{data}/c.sock", needs_root=True,
    files={"c.toml": 'version = 2\nroot = "{data}/r"\nstate = "{data}/s"\n'
                     'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                     '[grpc]\naddress = "{data}/c.sock"\n[metrics]\n'
                     'address = "127.0.0.1:{port}"\n'},
    requests=["GET /v1/metrics", "GET /none", "HEAD /v1/metrics",
              Ask("/containerd.services.version.v1.Version/Version"),
              Ask("/containerd.services.namespaces.v1.Namespaces/List"),
              Ask("/containerd.services.containers.v1.Containers/Get", b"\n\4none",
                  headers={"containerd-namespace": "default"}),
              Ask("/containerd.services.images.v1.Images/List",
                  headers={"containerd-namespace": "default"}),
              Ask("/grpc.health.v1.Health/Check")])
POSTGRES_EXPORTER = dict(
    command=["{root}/usr/bin/prometheus-postgres-exporter",
             "--web.listen-address=127.0.0.1:{port}"],
    env={"DATA_SOURCE_NAME": "postgres://postgres@127.0.0.1:{db}/postgres?sslmode=disable"},
    database=statements.postgresql, requests=["GET /metrics", "GET /"])
HTTPBIN = ["GET /get?a=1", "GET /status/418", "GET /status/503", "POST /post", "PUT /put",
           "GET /uuid", "GET /bytes/1000", "GET /delay/0.01", "GET /headers",
           "GET /none", "DELETE /delete",
           "GET /stream/5", "GET /base64/YQ=="]

PROGRAMS = [
    Program("prometheus", **prometheus(debian("prometheus"))),
    Program("alertmanager", debian("prometheus-alertmanager"),
            [*OWN_SHARE, "{root}/usr/bin/prometheus-alertmanager", "--config.file={data}/a.yml",
             "--storage.path={data}/d", "--web.listen-address=127.0.0.1:{port}",
             "--cluster.listen-address="],
            ["GET /-/healthy", "GET /api/v2/status", "GET /api/v2/alerts", "GET /metrics",
             "GET /none", "POST /api/v2/alerts",
             ("POST /api/v2/alerts", '[{"labels": {"alertname": "a"}}]')],
            needs_root=True,
            files={"a.yml": "route: {receiver: r}\nreceivers: [{name: r}]\n"}, ready="/-/healthy"),
    Program("node-exporter", debian("prometheus-node-exporter"),
            ["{root}/usr/bin/prometheus-node-exporter", "--web.listen-address=127.0.0.1:{port}",
             "--collector.disable-defaults", "--collector.uname"],
            ["GET /", "GET /metrics", "HEAD /metrics", "GET /metrics?collect[]=uname"]),
    Program("blackbox-exporter", debian("prometheus-blackbox-exporter"),
            ["{root}/usr/bin/prometheus-blackbox-exporter", "--config.file={data}/b.yml",
             "--web.listen-address=127.0.0.1:{port}"],
            ["GET /-/healthy", "GET /metrics", "GET /config", "GET /probe",
             "GET /probe?module=tcp&target=127.0.0.1:{port}"],
            files={"b.yml": "modules: {tcp: {prober: tcp}}\n"}, ready="/-/healthy"),
    Program("pushgateway", debian("prometheus-pushgateway"),
            ["{root}/usr/bin/prometheus-pushgateway", "--web.listen-address=127.0.0.1:{port}"],
            [("PUT /metrics/job/a", "x 1\n"), ("POST /metrics/job/a/b/c", "y 2\n"),
             ("PUT /metrics/job/a", "not a metric"), "GET /metrics", "GET /api/v1/status",
             "DELETE /metrics/job/a"], ready="/-/ready"),
    Program("hugo", debian("hugo"), path=[debian("libsass1")], **HUGO),
    Program("syncthing", debian("syncthing"), **SYNCTHING),
    Program("dockerd", debian("docker.io"), path=[debian("containerd"), debian("runc")], **DOCKERD),
    Program("containerd", debian("containerd"), **CONTAINERD),
    Program("caddy", debian("caddy"), **CADDY),
    Program("etcd", debian("etcd-server"), **ETCD),
    Program("influxd", debian("influxdb"), ["{root}/usr/bin/influxd"],
            ["GET /ping", "GET /query?q=SHOW+DATABASES", "POST /query?q=CREATE+DATABASE+d",
             ("POST /write?db=d", "m v=1\n"), "GET /query?db=d&q=SELECT+*+FROM+m", "GET /none"],
            env={"INFLUXDB_HTTP_BIND_ADDRESS": "127.0.0.1:{port}", "INFLUXDB_META_DIR": "{data}/m",
                 "INFLUXDB_BIND_ADDRESS": "127.0.0.1:{port2}", "INFLUXDB_DATA_DIR": "{data}/d",
                 "INFLUXDB_DATA_WAL_DIR": "{data}/w", "INFLUXDB_REPORTING_DISABLED": "true",
                 "HOME": "{data}"}, ready="/ping"),
    Program("rclone", debian("rclone"),
            ["{root}/usr/bin/rclone", "serve", "http", "--addr", "127.0.0.1:{port}", "{data}"],
            ["GET /", "GET /a.txt", "HEAD /a.txt", "GET /none"], files={"a.txt": "a\n"},
            env={"HOME": "{data}"}),
    Program("victoria-metrics", debian("victoria-metrics"),
            ["{root}/usr/bin/victoria-metrics", "-storageDataPath={data}/d",
             "-httpListenAddr=127.0.0.1:{port}", "-memory.allowedBytes=64MB"],
            ["GET /health", "GET /metrics", "GET /api/v1/query?query=1", "GET /none",
             ("POST /write", "m v=1\n")], ready="/health"),
    Program("webhook", debian("webhook"),
            ["{root}/usr/bin/webhook", "-hooks", "{data}/h.json", "-ip", "127.0.0.1",
             "-port", "{port}"],
            ["POST /hooks/a", "GET /hooks/a", "GET /hooks/none", "GET /"],
            files={"h.json": '[{"id": "a", "execute-command": "/bin/true"}]'}),
    Program("docker-registry", debian("docker-registry"),
            ["{root}/usr/bin/docker-registry", "serve", "{data}/r.yml"],
            ["GET /v2/", "GET /v2/_catalog", "GET /v2/a/tags/list", "GET /v2/a/manifests/b",
             "GET /none", "POST /v2/a/blobs/uploads/"], ready="/v2/",
            files={"r.yml": 'version: 0.1\nstorage: {filesystem: {rootdirectory: "{data}/d"}}\n'
                            'http: {addr: "127.0.0.1:{port}"}\n'}),
    Program("nats-server", debian("nats-server"),
            ["{root}/usr/sbin/nats-server", "-a", "127.0.0.1", "-p", "{port2}", "-m", "{port}"],
            ["GET /varz", "GET /connz", "GET /healthz", "GET /", "GET /none"], ready="/healthz"),
    Program("prometheus sid", **prometheus(debian("prometheus", "sid"), by_hand("promqlExecQueue"))),
    Program("caddy sid", debian("caddy", "sid"), **CADDY),
    Program("hugo sid", debian("hugo", "sid"), path=[debian("libsass1")], **HUGO),
    Program("syncthing sid", debian("syncthing", "sid"), **SYNCTHING),
    Program("go-httpbin", module("github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin", "v2.18.3"),
            ["{root}/bin/go-httpbin", "-host", "127.0.0.1", "-port", "{port}"], HTTPBIN),
]
JSON = {"Content-Type": "application/json"}
# It keeps the User-Agent, which is another one each time: there are two of them for that.
CROWDSEC_DECISIONS = [
    Ask(f"GET /v1/decisions?ip=1.2.3.{host}", headers={"X-Api-Key": "key"},
        below=sqlite("SELECT bouncers", "BEGIN", "UPDATE bouncers", "SELECT bouncers", "COMMIT",
                     "SELECT decisions")) for host in (4, 5)]
MINIFLUX_USER = {"Authorization": "Basic dGVzdDpwYXNzd29yZA=="}

PROGRAMS += [
    Program("etcd sid sdk", debian("etcd-server", "sid"), **{**ETCD_SID, "command": [
        *ETCD["command"], "--experimental-enable-distributed-tracing",
        "--experimental-distributed-tracing-address={otlp}",
        "--experimental-distributed-tracing-sampling-rate=1000000"]}, sdk=True,
        own=["opentelemetry.proto.collector.trace.v1.TraceService/Export"]),
    Program("etcd sid", debian("etcd-server", "sid"), **ETCD_SID),
    Program("containerd sid", debian("containerd", "sid"), **CONTAINERD),
    Program("caddy proxy", debian("caddy"), **CADDY_PROXY),
    Program("caddy proxy sid", debian("caddy", "sid"), **CADDY_PROXY),
    Program("mysqld-exporter", debian("prometheus-mysqld-exporter"),
            ["{root}/usr/bin/prometheus-mysqld-exporter", "--web.listen-address=127.0.0.1:{port}"],
            ["GET /metrics", "GET /", "GET /metrics?collect[]=global_status"],
            env={"DATA_SOURCE_NAME": "root@tcp(127.0.0.1:{db})/"}, database=statements.mariadb),
    Program("miniflux sid", debian("miniflux", "sid"), ["{root}/usr/bin/miniflux"],
            ["GET /healthcheck", "GET /", Ask("GET /v1/me", headers=MINIFLUX_USER),
             Ask("GET /v1/feeds", headers=MINIFLUX_USER),
             Ask("GET /v1/categories", headers=MINIFLUX_USER),
             Ask("POST /v1/categories", '{"title": "one"}', headers=MINIFLUX_USER),
             "GET /v1/me"],
            env={"DATABASE_URL": "postgres://postgres@127.0.0.1:{db}/postgres?sslmode=disable",
                 "RUN_MIGRATIONS": "1", "CREATE_ADMIN": "1", "ADMIN_USERNAME": "test",
                 "ADMIN_PASSWORD": "password", "LISTEN_ADDR": "127.0.0.1:{port}",
                 "DISABLE_SCHEDULER_SERVICE": "1"},
            ready="/healthcheck", database=statements.postgresql),
    Program("ntfy sid", debian("ntfy", "sid"),
            ["{root}/usr/bin/ntfy", "serve", "--listen-http", "127.0.0.1:{port}", "--cache-file",
             "{data}/c.db", "--config", "/dev/null", "--visitor-request-limit-exempt-hosts",
             "127.0.0.1"],
            ["GET /v1/health", Ask("GET /topic/json?poll=1", below=sqlite("SELECT messages")),
             Ask("PUT /topic", "hello", below=sqlite(
                 "BEGIN", "SELECT messages", "DELETE messages", "COMMIT", "BEGIN",
                 "INSERT messages", "COMMIT"))],
            ready="/v1/health", own=["SELECT messages"]),  # looks for what is due
    Program("postgres-exporter", debian("prometheus-postgres-exporter"), **POSTGRES_EXPORTER),
    Program("postgres-exporter sid", debian("prometheus-postgres-exporter", "sid"),
            **POSTGRES_EXPORTER),
    Program("pocketbase sid", debian("pocketbase", "sid"),
            ["{root}/usr/bin/base", "--dir", "{data}/d", "serve", "--http", "127.0.0.1:{port}"],
            ["GET /api/health", "GET /_/", "GET /api/none", "HEAD /api/health",
             "GET /api/collections/none/records",
             Ask("GET /api/collections/users/records", below=sqlite("SELECT users", "SELECT users")),
             Ask("POST /api/collections/users/auth-with-password",
                 '{"identity": "a@b.cc", "password": "none"}', headers=JSON,
                 below=sqlite("SELECT users", "SELECT users"))],
            ready="/api/health",
            own=["BEGIN", "INSERT _logs", "DELETE _logs", "SELECT _logs", "COMMIT", "PRAGMA"]),
    Program("aptly sid", debian("aptly", "sid"),
            ["{root}/usr/bin/aptly", "api", "serve", "-config={data}/c.json",
             "-listen=127.0.0.1:{port}"],
            ["GET /api/version", "GET /api/ready", "GET /api/metrics", "GET /api/repos",
             "GET /api/repos/none", "GET /api/repos/none/packages", "DELETE /api/files/none",
             Ask("POST /api/repos", '{"Name": "none", "none": 1}', headers=JSON), "GET /none"],
            files={"c.json": '{"rootDir": "{data}/d", "gpgDisableSign": true, '
                             '"enableMetricsEndpoint": true}'}, ready="/api/healthy"),
    Program("crowdsec sid", debian("crowdsec", "sid"),
            ["{root}/usr/bin/crowdsec", "-c", "{data}/c.yaml", "-no-cs"],
            ["GET /health", "GET /v1/none", "GET /v1/alerts",
             *CROWDSEC_DECISIONS,
             Ask("GET /v1/decisions", headers={"X-Api-Key": "none"}, below=sqlite("SELECT bouncers")),
             Ask("POST /v1/watchers/login", '{"machine_id": "m", "password": "none"}', headers=JSON,
                 below=sqlite("SELECT machines"))],
            before=[["{root}/usr/bin/cscli", "-c", "{data}/c.yaml", "bouncers", "add", "b", "-k", "key"]],
            files={"c.yaml": "common: {daemonize: false, log_media: stdout}\n"
                             "config_paths: {config_dir: '{data}', data_dir: '{data}', "
                             "hub_dir: '{data}', index_path: '{data}/h.json', "
                             "simulation_path: '{data}/s.yaml'}\n"
                             "db_config: {type: sqlite, db_path: '{data}/c.db'}\n"
                             "api: {client: {credentials_path: '{data}/l.yaml'}, server: {"
                             "listen_uri: '127.0.0.1:{port}', profiles_path: '{data}/p.yaml'}}\n"
                             "prometheus: {enabled: false}\n",
                   "h.json": "{}", "s.yaml": "simulation: false\n", "l.yaml": "{}",
                   "p.yaml": "name: none\nfilters: ['false']\non_success: break\n"},
            ready="/health",
            own=["SELECT machines", "SELECT bouncers", "SELECT alerts", "SELECT decisions",
                 "SELECT events", "BEGIN", "COMMIT", "DELETE decisions", "DELETE alerts"]),
]
