# SPDX-License-Identifier: Apache-2.0
"""docker-compose.yml: valid, and at one with the image, the commands and the files it names."""

import re
import subprocess

import pytest
import typer
import yaml
from compose_spec import PyCompose
from sqlalchemy import make_url
from support import compose
from support.compose import ROOT

from trireel_app.commands.gateway import gateway
from trireel_app.commands.worker import worker
from trireel_backend.launch.engines import command as engine_build
from trireel_backend.launch.image.cli import ENVIRONMENT_PREFIX, app
from trireel_backend.launch.image.server import EXIT_SECONDS, LEAST_SHM_BYTES
from trireel_backend.launch.repository.assemble import load_config
from trireel_backend.launch.server import UNLOAD_GRACE_SECONDS

SERVERS = ["trireel", "trireel-cpu"]
OWN = [*SERVERS, "engine"]
WITHOUT_HEALTHCHECK = {
    "engine": "runs once",
    "otel-collector": "its image has no program to ask with",
    "worker": "its lease in the database says that it lives",
}
UNITS = {"m": 2**20, "g": 2**30}


@pytest.fixture(scope="module")
def merged():
    return compose.load()


@pytest.fixture(scope="module")
def services(merged):
    return merged["services"]


def names():
    return sorted(compose.load()["services"])


def size_bytes(text):
    return int(text[:-1]) * UNITS[text[-1]]


def command_line():
    return typer.main.get_command(app)


def parsed(environment):
    """Return the options that the server's command takes from an environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, str(value))
        context = command_line().make_context(
            "trireel-serve-container", [], auto_envvar_prefix=ENVIRONMENT_PREFIX
        )
    return context.params


def test_it_is_valid_by_the_specification(merged):
    checked = PyCompose.from_yaml(yaml.safe_dump(merged))
    checked.validate()
    assert sorted(checked.service_names()) == names()


def test_the_specifications_check_finds_mistakes(merged):
    """It is not blind to these; for volumes and for who is waited for there are tests below."""
    for mistake in (
        {"helthcheck": {}},
        {"depends_on": {"prometheus": {"condition": "service_fine"}}},
        {"stop_grace_period": "6 minutes"},
        {"networks": ["elsewhere"]},
    ):
        wrong = yaml.safe_load(yaml.safe_dump(merged))
        wrong["services"]["grafana"] |= mistake
        with pytest.raises(ValueError, match=r"grafana|elsewhere"):
            PyCompose.from_yaml(yaml.safe_dump(wrong)).validate()


@pytest.mark.parametrize("name", names())
def test_who_is_waited_for_is_there(services, name):
    for other, condition in services[name].get("depends_on", {}).items():
        assert other in services
        assert set(condition) == {"condition"}
        if condition["condition"] == "service_healthy":
            assert "healthcheck" in services[other]
        # A service of another profile would not be started.
        assert set(services[name].get("profiles", [])) <= set(
            services[other].get("profiles", services[name].get("profiles", []))
        )


@pytest.mark.parametrize("name", names())
def test_images_are_pinned(services, name):
    assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?", services[name]["image"])


@pytest.mark.parametrize("name", names())
def test_no_port_is_open_beyond_this_machine(services, name):
    for port in services[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_the_operator_can_open_the_servers_own_ports_and_no_others():
    opened = compose.load({**compose.SECRETS, "TRIREEL_BIND": "0.0.0.0"})["services"]
    public = {port for s in opened.values() for port in s.get("ports", []) if port[0] == "0"}
    assert public == {"0.0.0.0:8000:8000", "0.0.0.0:8001:8001"}


@pytest.mark.parametrize("name", names())
def test_every_service_is_confined(services, name):
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["user"].startswith("0")
    assert "privileged" not in service
    if name != "engine":  # a build takes what there is
        assert size_bytes(service["mem_limit"]) > 0


@pytest.mark.parametrize("name", names())
def test_every_service_says_whether_it_is_well(services, name):
    assert ("healthcheck" in services[name]) != (name in WITHOUT_HEALTHCHECK)


@pytest.mark.parametrize("name", names())
def test_what_is_mounted_is_there(merged, services, name):
    for volume in services[name].get("volumes", []):
        source, target = volume.split(":")[:2]
        if source.startswith("."):
            assert (ROOT / source).exists(), f"{source} is mounted at {target}"
            assert volume.endswith(":ro")
        else:
            assert source in merged["volumes"]


def test_every_volume_is_used(merged, services):
    used = {v.split(":")[0] for service in services.values() for v in service.get("volumes", [])}
    assert set(merged["volumes"]) <= used


def test_every_variable_is_in_the_example_with_its_default():
    example = compose.example()
    used = {variable.name: variable for variable in compose.variables()}
    assert set(example) == set(used)
    for name, variable in used.items():
        required = variable.kind.endswith("?")
        assert example[name] == ("" if required else variable.rest, required)


def test_a_variable_has_the_same_default_wherever_it_is_used():
    seen = {(variable.name, variable.kind, variable.rest) for variable in compose.variables()}
    assert len(seen) == len({name for name, _, _ in seen})


@pytest.mark.parametrize("name", sorted(compose.SECRETS))
def test_a_secret_has_no_default(name):
    given = {other: value for other, value in compose.SECRETS.items() if other != name}
    for environment in (given, {**given, name: ""}):
        with pytest.raises(AssertionError, match=f"{name} is not set: copy .env.example"):
            compose.load(environment)


@pytest.mark.parametrize("name", SERVERS)
def test_the_server_knows_every_variable_it_is_given(services, name):
    own = {key for key in services[name]["environment"] if key.startswith("TRIREEL_")}
    options = {f"TRIREEL_{option.name.upper()}" for option in command_line().params}
    assert own <= options
    params = parsed(services[name]["environment"])
    assert params["profile"] == {"trireel": "tensorrt", "trireel-cpu": "cpu"}[name]
    assert params["trace_url"] == "http://otel-collector:4318/v1/traces"
    # What is not set is handed on empty, and means what it means when it is absent.
    for option in ("extractors", "videos", "max_video_gib", "http_max_input_mib", "parameter"):
        assert not params[option]


def test_what_the_operator_sets_reaches_the_server():
    environment = {
        "TRIREEL_EXTRACTORS": "6",
        "TRIREEL_ALLOW_NETWORK": "10.0.0.0/8 fd00::/8",
        "TRIREEL_PARAMETER": "s3_buckets=videos chunk_seconds=5",
        "TRIREEL_HTTP_MAX_INPUT_MIB": "256",
        "TRIREEL_TRACE_URL": "",
    }
    service = compose.load(compose.SECRETS | environment)["services"]["trireel-cpu"]
    params = parsed(service["environment"])
    assert params["extractors"] == 6
    assert list(params["allow_network"]) == ["10.0.0.0/8", "fd00::/8"]
    assert list(params["parameter"]) == ["s3_buckets=videos", "chunk_seconds=5"]
    assert params["http_max_input_mib"] == 256
    assert not params["trace_url"]


@pytest.mark.parametrize("name", SERVERS)
def test_paths_and_ports_are_the_commands_own(services, name):
    params = parsed({})
    targets = {volume.split(":")[1] for volume in services[name]["volumes"]}
    own = {str(params[key]) for key in ("export", "media", "spool", "engines")}
    assert targets == {*own, services[name]["environment"]["TRIREEL_DETECTOR"]}
    ports = [int(port.rpartition(":")[2]) for port in services[name]["ports"]]
    assert ports == [params["http_port"], params["grpc_port"], params["metrics_port"]]


@pytest.mark.parametrize("name", SERVERS)
def test_its_profile_is_one_the_tower_has(services, name):
    profile = services[name]["environment"]["TRIREEL_PROFILE"]
    tower = ROOT / "model_repository/siglip_vision"
    assert (tower / f"configs/{profile}.pbtxt").is_file()
    kind = load_config(tower, profile).instance_group[0].kind
    assert ("deploy" in services[name]) == (kind == 1)  # KIND_GPU


@pytest.mark.parametrize("name", SERVERS)
def test_a_stop_is_given_the_time_it_may_take(services, name):
    minutes = int(services[name]["stop_grace_period"].removesuffix("m"))
    videos = parsed(services[name]["environment"])["stop_seconds"]
    assert minutes * 60 > videos + EXIT_SECONDS + UNLOAD_GRACE_SECONDS


@pytest.mark.parametrize("name", OWN)
def test_shared_memory_is_enough_and_within_the_limit(services, name):
    assert size_bytes(services[name]["shm_size"]) >= LEAST_SHM_BYTES
    if "mem_limit" in services[name]:
        assert size_bytes(services[name]["shm_size"]) < size_bytes(services[name]["mem_limit"])


def test_the_engine_is_built_where_the_server_looks_for_it(services):
    engine = services["engine"]
    arguments = engine_build.create_parser().parse_args(engine["command"])
    volumes = {volume.split(":")[1] for volume in engine["volumes"]}
    folders = (arguments.export, arguments.detector, arguments.engines)
    assert set(map(str, folders)) == volumes
    assert set(engine["volumes"]) <= set(services["trireel"]["volumes"])
    assert (ROOT / "scripts" / engine["entrypoint"][0]).is_file()
    assert engine["deploy"] == services["trireel"]["deploy"]


def test_prometheus_and_envoy_find_both_profiles_by_one_name(services):
    for name in SERVERS:
        assert services[name]["networks"]["default"]["aliases"] == ["trireel-servers"]
    assert "trireel-servers" in (ROOT / "deploy/envoy/envoy.yaml").read_text()


def test_prometheus_has_its_rules_and_asks_services_that_are_there(services):
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    mounted = {volume.split(":")[1] for volume in services["prometheus"]["volumes"]}
    assert {f"/etc/prometheus/{name}" for name in config["rule_files"]} <= mounted
    asked = {
        name
        for job in config["scrape_configs"]
        for lookup in job.get("dns_sd_configs", [])
        for name in lookup["names"]
    }
    assert asked <= {*services, "trireel-servers"}


def test_grafana_has_its_dashboards_where_it_looks_for_them(services):
    provisioning = ROOT / "deploy/grafana/provisioning/dashboards"
    (path,) = provisioning.glob("*.yaml")
    (provider,) = yaml.safe_load(path.read_text())["providers"]
    mounted = {volume.split(":")[1] for volume in services["grafana"]["volumes"]}
    assert provider["options"]["path"] in mounted
    for source in (ROOT / "deploy/grafana/provisioning/datasources").glob("*.yaml"):
        for given in yaml.safe_load(source.read_text())["datasources"]:
            host = re.fullmatch(r"http://([a-z-]+):\d+", given["url"])[1]
            assert host in services


def test_traces_go_to_a_port_the_collector_has(services):
    config = yaml.safe_load((ROOT / "deploy/otel/collector.yaml").read_text())
    http = config["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    url = services["trireel-cpu"]["environment"]["TRIREEL_TRACE_URL"]
    assert url == f"http://otel-collector:{http.rpartition(':')[2]}/v1/traces"
    used = set(re.findall(r"\$\{env:(\w+)", (ROOT / "deploy/otel/collector.yaml").read_text()))
    assert used == set(services["otel-collector"]["environment"])


@pytest.mark.parametrize("name", ["prometheus", "envoy"])
def test_flags_are_known_to_the_program(services, name):
    done = subprocess.run([name, "--help"], capture_output=True, text=True)
    known = set(re.findall(r"--[a-z][\w.-]*", done.stdout + done.stderr))
    given = {word.partition("=")[0] for word in services[name]["command"] if word.startswith("--")}
    assert given <= known


def test_the_stores_command_line_is_understood(services, tmp_path):
    """The flags against the program itself, which refuses what it does not know."""
    known = subprocess.run(["weed", "server", "-h"], capture_output=True, text=True)
    flags = set(re.findall(r"^  -([\w.]+)", known.stdout + known.stderr, re.MULTILINE))
    command, *given = services["seaweedfs"]["command"]
    assert command == "server"
    assert {flag.removeprefix("-").partition("=")[0] for flag in given} <= flags
    version = subprocess.run(["weed", "version"], capture_output=True, text=True, check=True)
    tag = services["seaweedfs"]["image"].partition(":")[2]
    assert f" {tag} " in version.stdout


APP = ["gateway", "worker", "postgres"]


def test_the_bare_server_needs_nothing_of_the_app(services):
    for name in APP:
        assert services[name]["profiles"] == ["app"]
    for name in SERVERS:
        assert not set(APP) & set(services[name].get("depends_on", {}))
    # Compose puts variables in also for profiles that are not chosen.
    assert "DATABASE_PASSWORD" not in compose.SECRETS
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"] == ""


def test_the_password_of_the_database_reaches_all_who_need_it():
    made = compose.load(compose.SECRETS | {"DATABASE_PASSWORD": "four"})["services"]
    assert made["postgres"]["environment"]["POSTGRES_PASSWORD"] == "four"
    for name in ("gateway", "worker"):
        url = make_url(made[name]["environment"]["TRIREEL_DATABASE"])
        assert (url.password, url.host) == ("four", "postgres")
        assert url.username == made["postgres"]["environment"]["POSTGRES_USER"]
        assert url.database == made["postgres"]["environment"]["POSTGRES_DB"]


@pytest.mark.parametrize(("name", "command"), [("gateway", gateway), ("worker", worker)])
def test_the_apps_commands_know_their_options(services, name, command):
    first, *arguments = services[name]["command"]
    assert first == name
    app_of_command = typer.Typer()
    app_of_command.command()(command)
    context = typer.main.get_command(app_of_command).make_context(name, arguments)
    assert list(context.params["url"]) == ["trireel-servers:8001"]
    if name == "gateway":
        (port,) = services[name]["ports"]
        assert port.endswith(f":{context.params['port']}")
        config = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
        assert f"names: [gateway], type: A, port: {context.params['metrics_port']}" in config


def test_the_gateway_and_the_worker_share_the_uploads(services):
    for name in ("gateway", "worker"):
        assert services[name]["volumes"] == ["uploads:/uploads"]
        assert services[name]["user"] == "1000:1000"
