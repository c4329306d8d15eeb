"""Tidegate as a client sees it that has nothing but proto/ and grpcio."""

import importlib
import pathlib
import sys
import tempfile

import grpc
import grpc_tools
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status
from google.rpc import error_details_pb2
from grpc_tools import protoc

from story import KINDS, Refused

SERVICES = ["Application", "Event", "Execution", "Integration", "IntegrationSystem", "Logic", "Object", "ObjectType", "Runtime", "Tenant"]


def generated(proto):
    """The modules that protoc makes of proto/, by name."""
    out = tempfile.mkdtemp()
    files = sorted(str(file) for file in pathlib.Path(proto, "tidegate/v1").glob("*.proto"))
    common = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{proto}", f"-I{common}", f"--python_out={out}", f"--grpc_python_out={out}", *files]
    assert protoc.main(arguments) == 0
    sys.path.insert(0, out)
    return lambda name: importlib.import_module(f"tidegate.v1.{name}")


class Client:
    """The operations of the story, as the administrator or another client."""

    def __init__(self, address, proto, modules=None, channel=None, access_token=None):
        self.address, self.proto = address, proto
        self.modules = modules or generated(proto)
        self.channel = channel or grpc.insecure_channel(address)
        self.access_token = access_token

    def signed_in(self, access_token):
        return Client(self.address, self.proto, self.modules, self.channel, access_token)

    def call(self, service, method, tenant=None, /, **fields):
        stub = getattr(self.modules(f"{service}_service_pb2_grpc"), f"{camel(service)}ServiceStub")(self.channel)
        request = getattr(self.modules(f"{service}_service_pb2"), f"{method}Request")(**fields)
        metadata = [("authorization", f"Bearer {self.access_token}")] if self.access_token else []
        metadata += [("tenant", tenant)] if tenant else []
        try:
            return getattr(stub, method)(request, metadata=metadata, timeout=30)
        except grpc.RpcError as error:
            raise refusal(error) from None

    def message(self, noun, kind, /, **fields):
        return getattr(self.modules(f"{noun}_pb2"), kind)(**fields)

    def what_it_is(self):
        """Health and reflection stand open to everybody."""
        health = health_pb2_grpc.HealthStub(self.channel)
        served = ProtoReflectionDescriptorDatabase(self.channel).get_services()
        for name in [f"tidegate.v1.{name}Service" for name in SERVICES]:
            assert name in served, (name, served)
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=30)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING, (name, answer)

    def create_tenant(self, id):
        self.call("tenant", "CreateTenant", input=self.message("tenant", "TenantInput", id=id, name=id))

    def register_system(self, name, description=None):
        input = self.message("integration_system", "IntegrationSystemInput", name=name, description=description)
        return system(self.call("integration_system", "RegisterIntegrationSystem", input=input).integration_system)

    def update_system(self, id, name, description=None):
        input = self.message("integration_system", "IntegrationSystemInput", name=name, description=description)
        answer = self.call("integration_system", "UpdateIntegrationSystem", id=id, input=input)
        return system(answer.integration_system)

    def unregister_system(self, id):
        return system(self.call("integration_system", "UnregisterIntegrationSystem", id=id).integration_system)

    def system(self, id):
        answer = self.call("integration_system", "GetIntegrationSystem", id=id, with_auths=True)
        return system(answer.integration_system) if answer.HasField("integration_system") else None

    def systems(self, first=None, after=None):
        answer = self.call("integration_system", "ListIntegrationSystems", first=first, after=after)
        info = answer.page_info
        page = (info.start_cursor, info.end_cursor, info.has_next_page)
        return [system(one) for one in answer.data], page, answer.total_count

    def request_credentials(self, id):
        answer = self.call("integration_system", "RequestClientCredentialsForIntegrationSystem", id=id)
        return system_auth(answer.system_auth)

    def delete_credentials(self, id):
        answer = self.call("integration_system", "DeleteSystemAuthForIntegrationSystem", id=id)
        return system_auth(answer.system_auth)

    def register_application(self, tenant, name, system_id=None):
        input = self.message("application", "ApplicationInput", name=name, integration_system_id=system_id)
        return application(self.call("application", "RegisterApplication", tenant, input=input).application)

    def update_application(self, tenant, id, name):
        input = self.message("application", "ApplicationInput", name=name)
        return application(self.call("application", "UpdateApplication", tenant, id=id, input=input).application)

    def unregister_application(self, tenant, id):
        return application(self.call("application", "UnregisterApplication", tenant, id=id).application)

    def application(self, tenant, id):
        answer = self.call("application", "GetApplication", tenant, id=id)
        return application(answer.application) if answer.HasField("application") else None

    def applications(self, tenant, after=None):
        answer = self.call("application", "ListApplications", tenant, after=after)
        return [application(one) for one in answer.data]

    def request_application_credentials(self, tenant, id):
        answer = self.call("application", "RequestClientCredentialsForApplication", tenant, id=id)
        return system_auth(answer.system_auth)


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def refusal(error):
    """A status and its details, which have to agree."""
    status = rpc_status.from_call(error)
    assert status is not None, f"no details: {error}"
    details = {detail.type_url.rsplit(".", 1)[1]: detail for detail in status.details}
    info = error_details_pb2.ErrorInfo()
    assert details["ErrorInfo"].Unpack(info) and info.domain == "tidegate"
    number = int(info.metadata["error_code"])
    assert (info.reason, error.code().name) == KINDS[number], (info, error.code())
    fields = []
    if info.reason == "InvalidData":
        request = error_details_pb2.BadRequest()
        assert details["BadRequest"].Unpack(request)
        fields = [violation.field for violation in request.field_violations]
        assert fields
    if info.reason in ("NotFound", "NotUnique", "TenantNotFound"):
        resource = error_details_pb2.ResourceInfo()
        assert details["ResourceInfo"].Unpack(resource) and resource.resource_type
    return Refused(number, error.details(), fields)


def optional(message, field):
    return getattr(message, field) if message.HasField(field) else None


def system(message):
    auths = [system_auth(auth) for auth in message.auths]
    return {"id": message.id, "name": message.name, "description": optional(message, "description"), "auths": auths}


def system_auth(message):
    data = message.auth.oauth_credential_data
    kind = type(message).DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[message.type].name
    return {
        "id": message.id,
        "client_id": data.client_id,
        "client_secret": optional(data, "client_secret"),
        "url": data.url,
        "type": kind.removeprefix("SYSTEM_AUTH_REFERENCE_TYPE_"),
        "reference": message.reference_object_id,
    }


def application(message):
    return {"id": message.id, "name": message.name, "system": optional(message, "integration_system_id")}
