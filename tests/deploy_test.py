"""Deployment files hold together: names, ports, probes, files and flags."""

import configparser
import pathlib
import re

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory
from google.protobuf import text_format
from google.protobuf import wrappers_pb2

from recipes import pretrain_generator
from visualpoet import cli
from visualpoet import run_options
from visualpoet import workers
from visualpoet.serve import metrics
from visualpoet.serve import options
from visualpoet.version import __version__

yaml = pytest.importorskip("yaml", reason="needs PyYAML: pip install pyyaml")

ROOT = pathlib.Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
CONFIG = DEPLOY / "tensorflow-serving"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
TRAINING = DEPLOY / "training" / "jobset.yaml"
VALUES = "prometheus-adapter.yaml"
KUBERNETES = "1.33"
# Of tensorflow_model_server 2.20, as far as a deployment may want them.
FLAGS = {
    "allow_version_labels_for_unavailable_models",
    "batching_parameters_file",
    "enable_batching",
    "enable_grpc_healthcheck_service",
    "enable_per_model_batching_parameters",
    "file_system_poll_wait_seconds",
    "grpc_channel_arguments",
    "model_base_path",
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "model_name",
    "monitoring_config_file",
    "num_load_threads",
    "port",
    "rest_api_num_threads",
    "rest_api_port",
    "rest_api_timeout_in_ms",
    "ssl_config_file",
    "tensorflow_inter_op_parallelism",
    "tensorflow_intra_op_parallelism",
    "tensorflow_session_parallelism",
}


def documents(path):
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def objects(kind):
    found = [
        document
        for path in MANIFESTS
        if path.name != VALUES
        for document in documents(path)
        if document["kind"] == kind
    ]
    assert found, kind
    return found


def named(kind):
    return pytest.mark.parametrize(
        kind.lower(), objects(kind), ids=lambda o: o["metadata"]["name"]
    )


def deployment_named(name):
    found = {d["metadata"]["name"]: d for d in objects("Deployment")}
    return found[name]


def stock():
    return deployment_named("visualpoet-tensorflow-serving")


def pod_of(deployment):
    return deployment["spec"]["template"]["spec"]


def container_of(deployment):
    (container,) = pod_of(deployment)["containers"]
    return container


def ports_of(container):
    return {port["name"]: port["containerPort"] for port in container["ports"]}


def compose():
    (document,) = documents(DEPLOY / "compose.yaml")
    return document


def split_flags(arguments):
    """`--name=value` or `--name` to names and values."""
    for argument in arguments:
        assert argument.startswith("--"), argument
    return dict(
        (argument[2:].split("=", 1) + [""])[:2] for argument in arguments
    )


def commands_of_tensorflow_serving():
    return {
        "kubernetes": container_of(stock())["args"],
        "compose": compose()["services"]["tensorflow-serving"]["command"],
    }


# --- Kubernetes


def test_kubernetes_takes_every_object():
    validator = pytest.importorskip(
        "kubernetes_validate",
        reason="needs Kubernetes' schemas: pip install kubernetes-validate",
    )
    kinds = []
    for path in [*MANIFESTS, TRAINING]:
        for document in documents(path):
            if document.get("kind") == "JobSet":
                document = job_of(document)
            if "." not in document.get("apiVersion", "."):
                validator.validate(document, KUBERNETES, strict=True)
                kinds.append(document["kind"])
    assert sorted(set(kinds)) == [
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Job",
        "PersistentVolumeClaim",
        "Service",
    ]


def job_of(jobset):
    """What a JobSet, of which Kubernetes has no schema, makes its Job of."""
    (replicated,) = jobset["spec"]["replicatedJobs"]
    metadata = {"name": replicated["name"]}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}
    return job | replicated["template"]


@named("Deployment")
def test_deployments_select_their_pods(deployment):
    selector = deployment["spec"]["selector"]["matchLabels"]
    template = deployment["spec"]["template"]["metadata"]["labels"]
    assert selector.items() <= template.items()


@named("Service")
def test_services_lead_to_ports_of_one_deployment(service):
    selector = service["spec"]["selector"]
    (deployment,) = [
        d
        for d in objects("Deployment")
        if selector.items()
        <= d["spec"]["template"]["metadata"]["labels"].items()
    ]
    named_ports = ports_of(container_of(deployment))
    targets = {p["targetPort"] for p in service["spec"]["ports"]}
    assert targets == {"grpc", "rest"} == named_ports.keys()


@named("Deployment")
def test_probes_ask_ports_that_are_there(deployment):
    container = container_of(deployment)
    ports = ports_of(container)
    assert ports == {"grpc": 8500, "rest": 8501}
    for name in ("startupProbe", "readinessProbe"):
        probe = container[name]["httpGet"]
        assert probe == {"path": "/v1/models/visualpoet", "port": "rest"}
    assert container["livenessProbe"]["grpc"] == {"port": ports["grpc"]}


@named("Deployment")
def test_pods_may_do_little(deployment):
    pod = pod_of(deployment)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"] + pod.get("initContainers", []):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


@named("Deployment")
def test_mounts_are_volumes_and_volumes_are_mounted(deployment):
    pod = pod_of(deployment)
    mounted = {
        mount["name"]
        for container in pod["containers"] + pod.get("initContainers", [])
        for mount in container["volumeMounts"]
    }
    assert mounted == {volume["name"] for volume in pod["volumes"]}


@named("Deployment")
def test_pods_have_time_to_end(deployment):
    pod = pod_of(deployment)
    command = container_of(deployment)["lifecycle"]["preStop"]["exec"]
    pause = int(command["command"][-1])
    needed = pause + options.ServerOptions.stop_seconds
    assert pod["terminationGracePeriodSeconds"] > needed


def test_our_server_has_as_many_threads_as_it_asks_for_cpus():
    container = container_of(deployment_named("visualpoet"))
    cpus = container["resources"]["requests"]["cpu"]
    wanted = {"TF_NUM_INTRAOP_THREADS": cpus, "TF_NUM_INTEROP_THREADS": cpus}
    assert {e["name"]: e["value"] for e in container["env"]} == wanted
    assert compose()["services"]["visualpoet"]["environment"] == wanted
    assert f"--threads={cpus}" in container["args"]


@named("HorizontalPodAutoscaler")
def test_autoscalers_scale_a_deployment_by_a_known_metric(
    horizontalpodautoscaler,
):
    spec = horizontalpodautoscaler["spec"]
    target = spec["scaleTargetRef"]
    deployment = deployment_named(target["name"])
    assert target["apiVersion"] == deployment["apiVersion"]
    # Both would pull at the number of replicas.
    assert "replicas" not in deployment["spec"]
    (metric,) = spec["metrics"]
    (values,) = documents(DEPLOY / "kubernetes" / VALUES)
    known = {rule["name"]["as"] for rule in values["rules"]["custom"]}
    assert metric["pods"]["metric"]["name"] in known


def test_our_queue_is_told_by_our_server():
    page = metrics.Metrics().page().decode()
    assert re.search(r"^visualpoet_queue_length ", page, re.MULTILINE)


def test_the_monitor_looks_where_the_numbers_are():
    (monitor,) = objects("PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["path"] == metrics.PATH
    wanted = monitor["spec"]["selector"]["matchLabels"]
    for deployment in objects("Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert wanted.items() <= labels.items()
        assert endpoint["port"] in ports_of(container_of(deployment))
    config = (CONFIG / "monitoring.config").read_text()
    assert f'path: "{metrics.PATH}"' in config


# --- TensorFlow Serving


@pytest.mark.parametrize("where", ["kubernetes", "compose"])
def test_flags_are_ones_that_tensorflow_serving_knows(where):
    flags = split_flags(commands_of_tensorflow_serving()[where])
    assert flags.keys() <= FLAGS
    assert (flags["port"], flags["rest_api_port"]) == ("8500", "8501")
    # The server does not start with one and without the other.
    assert "enable_batching" in flags and "batching_parameters_file" in flags


@pytest.mark.parametrize("where", ["kubernetes", "compose"])
def test_files_named_by_flags_are_mounted(where):
    flags = split_flags(commands_of_tensorflow_serving()[where])
    named_files = {
        pathlib.PurePosixPath(value)
        for name, value in flags.items()
        if name.endswith("_file")
    }
    assert {str(path.parent) for path in named_files} == {"/config"}
    assert {path.name for path in named_files} == {
        path.name for path in CONFIG.iterdir()
    }


def test_the_config_map_says_what_the_files_say():
    (config_map,) = objects("ConfigMap")
    assert config_map["data"] == {
        path.name: path.read_text(encoding="utf-8") for path in CONFIG.iterdir()
    }
    mounted = {
        volume["configMap"]["name"]
        for volume in pod_of(stock())["volumes"]
        if "configMap" in volume
    }
    assert mounted == {config_map["metadata"]["name"]}


def test_the_model_is_where_the_models_config_says():
    config_pb2 = pytest.importorskip(
        "tensorflow_serving.config.model_server_config_pb2",
        reason="needs tensorflow-serving-api",
    )
    text = (CONFIG / "models.config").read_text(encoding="utf-8")
    parsed = text_format.Parse(text, config_pb2.ModelServerConfig())
    (model,) = parsed.model_config_list.config
    assert model.name == "visualpoet"
    assert model.base_path == "/models/visualpoet"
    assert model.model_version_policy.latest.num_versions == 2
    deployment = stock()
    (init,) = pod_of(deployment)["initContainers"]
    assert init["command"] == ["cp", "-r", model.base_path, "/model/"]
    (mount,) = [
        m
        for m in container_of(deployment)["volumeMounts"]
        if m["name"] == "model"
    ]
    assert mount["mountPath"] == "/models"
    volumes = compose()["services"]["tensorflow-serving"]["volumes"]
    assert f"../savedmodels/visualpoet:{model.base_path}:ro" in volumes


def message(name, **fields):
    """A protocol buffer whose Python code no package has."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    types = descriptor_pb2.FieldDescriptorProto
    added = file.message_type.add(name=name)
    for number, (field, kind) in enumerate(fields.items(), 1):
        added.field.add(
            name=field,
            number=number,
            label=types.LABEL_OPTIONAL,
            type=types.TYPE_MESSAGE,
            type_name=f".google.protobuf.{kind}",
        )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))()


def test_batching_parameters_are_consistent():
    # tensorflow_serving/servables/tensorflow/session_bundle_config.proto
    parameters = message(
        "BatchingParameters",
        max_batch_size="Int64Value",
        batch_timeout_micros="Int64Value",
        max_enqueued_batches="Int64Value",
        num_batch_threads="Int64Value",
        thread_pool_name="StringValue",
        enable_large_batch_splitting="BoolValue",
        max_execution_batch_size="Int64Value",
    )
    text = (CONFIG / "batching.config").read_text(encoding="utf-8")
    text_format.Parse(text, parameters)
    assert parameters.enable_large_batch_splitting.value
    largest = parameters.max_batch_size.value
    assert 1 <= parameters.max_execution_batch_size.value <= largest
    # Both servers take the same number of rows in one request.
    assert largest == options.ServerOptions.request_rows


def exported_with():
    from tensorflow.core.protobuf import saved_model_pb2

    versions = (ROOT / "savedmodels" / "visualpoet").glob("[0-9]*")
    newest = max(versions, key=lambda path: int(path.name))
    content = (newest / "saved_model.pb").read_bytes()
    model = saved_model_pb2.SavedModel.FromString(content)
    return model.meta_graphs[0].meta_info_def.tensorflow_version


def test_the_server_is_not_older_than_the_export():
    images = re.findall(
        r"(?:tensorflow/serving:|runtimeVersion: )([\d.]+)",
        "".join(
            path.read_text(encoding="utf-8") for path in DEPLOY.rglob("*.yaml")
        ),
    )
    assert len(images) == 3

    def numbers(version):
        return [int(part) for part in version.split(".")[:2]]

    for image in images:
        assert numbers(image) >= numbers(exported_with())
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert f"exported with {exported_with()}" in readme


# --- our server


def serve_commands():
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    (command,) = re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
    args = container_of(deployment_named("visualpoet"))["args"]
    return [yaml.safe_load(command), args]


@pytest.mark.parametrize("arguments", serve_commands())
def test_our_server_understands_its_command(arguments):
    parsed = cli._parser().parse_args(["serve", *arguments])
    assert parsed.model == pathlib.Path("/models/visualpoet")
    assert parsed.host == "0.0.0.0"
    assert (parsed.grpc_port, parsed.rest_port) == (8500, 8501)


def test_the_dockerfile_copies_what_is_there_and_drops_root():
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    assert "savedmodels/visualpoet" in sources
    assert all((ROOT / source).exists() for source in sources)
    assert dockerfile.index("USER 10001") < dockerfile.index("ENTRYPOINT")
    (extra,) = re.findall(r'"\.\[(\w+)\]"', dockerfile)
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert extra in setup["options.extras_require"]


def test_images_are_pinned():
    images = [
        container["image"]
        for deployment in objects("Deployment")
        for container in pod_of(deployment)["containers"]
        + pod_of(deployment).get("initContainers", [])
    ]
    ours = [image for image in images if "registry.example.org" in image]
    assert ours == [f"registry.example.org/visualpoet:{__version__}"] * 2
    assert not [image for image in images if image.endswith(":latest")]


# --- training on several machines


def training():
    jobset, claim = documents(TRAINING)
    spec = job_of(jobset)["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    return jobset, claim, spec, container


def test_training_knows_its_workers_by_the_names_of_their_pods():
    jobset, _, spec, container = training()
    env = {entry["name"]: entry.get("value") for entry in container["env"]}
    name, job = jobset["metadata"]["name"], jobset["spec"]["replicatedJobs"][0]
    assert spec["completions"] == spec["parallelism"] == 2
    (port,) = (port["containerPort"] for port in container["ports"])
    pods = [f"{name}-{job['name']}-0-{number}" for number in range(2)]
    subdomain = jobset["spec"]["network"]["subdomain"]
    for number in range(2):
        tf_config = env["TF_CONFIG"].replace("$(WORKER)", str(number))
        assert workers.read_workers(tf_config) == (
            [f"{pod}.{subdomain}:{port}" for pod in pods],
            number,
        )
    # Kubernetes puts in only what stands above.
    assert list(env).index("WORKER") < list(env).index("TF_CONFIG")


def test_training_gives_options_that_the_recipe_takes():
    _, claim, spec, container = training()
    recipe, *arguments = container["args"]
    assert recipe == "recipes/pretrain_generator.py"
    config = run_options.parse_config(pretrain_generator.Config, arguments)
    assert config.resume
    out, tmp = spec["template"]["spec"]["volumes"]
    claimed = out["persistentVolumeClaim"]["claimName"]
    assert claimed == claim["metadata"]["name"]
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    assert mounts == {out["name"]: "/out", tmp["name"]: "/tmp"}
    assert config.run_dir.parent == pathlib.Path(mounts["out"])
    context = container["securityContext"]
    assert context["readOnlyRootFilesystem"] is True


def test_the_image_of_the_training_has_the_recipes():
    dockerfile = (TRAINING.parent / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (.*) \S+$", dockerfile, re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    assert "recipes" in sources
    assert all((ROOT / source).exists() for source in sources)
    assert '".[train]"' in dockerfile
    *_, container = training()
    assert container["image"].endswith(f"/visualpoet-training:{__version__}")


# --- compose, KServe, proxy


def test_compose_services_are_closed_up_and_their_files_exist():
    services = compose()["services"]
    assert services.keys() == {"visualpoet", "tensorflow-serving", "proxy"}
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists()
            else:
                assert source in compose()["volumes"]
    for name in ("visualpoet", "tensorflow-serving"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        # Without TLS and a token, for this machine only.
        assert all(p.startswith("127.0.0.1:") for p in service["ports"])
    build = services["visualpoet"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    assert services["proxy"]["depends_on"].keys() <= services.keys()


def test_compose_gives_the_server_time_to_end():
    period = compose()["services"]["visualpoet"]["stop_grace_period"]
    assert int(period.removesuffix("s")) > options.ServerOptions.stop_seconds


def test_the_proxy_leads_to_our_server_and_guards_every_way():
    caddyfile = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    upstreams = re.findall(r"reverse_proxy (\S+)", caddyfile)
    assert upstreams == ["visualpoet:8501", "h2c://visualpoet:8500"]
    sites = re.findall(r"^\{\$VISUALPOET_HOST\}.*?^\}", caddyfile, re.M | re.S)
    assert len(sites) == len(upstreams)
    for site in sites:
        assert "import guarded" in site
        assert "header_up -Authorization" in site
    used = set(re.findall(r"\{\$(\w+)", caddyfile))
    assert used == compose()["services"]["proxy"]["environment"].keys()


def test_kserve_names_the_model_and_its_format():
    (service,) = documents(DEPLOY / "kserve.yaml")
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    assert service["kind"] == "InferenceService"
    model = service["spec"]["predictor"]["model"]
    assert model["modelFormat"] == {"name": "tensorflow"}
    assert model["storageUri"].endswith("/visualpoet")
    # The runtime calls the model as the service, and clients as the model.
    assert service["metadata"]["name"] == "visualpoet"


def test_the_readme_leads_to_files_that_exist():
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert len(links) > 5
    assert all((DEPLOY / link).is_file() for link in links)
