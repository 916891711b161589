"""What the servers answer, as far as it is used; all that is not named here is ignored.

`Legacy…` is what REST v1 of Cloud and Data Center have in common, the rest is Cloud's REST v2.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class Payload(BaseModel):
    """What comes from the server; all that is not named here is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, populate_by_name=True)


class Link(Payload):
    next: str | None = None
    base: str | None = None
    webui: str | None = None
    download: str | None = None


class Links(Payload):
    links: Link = Field(default=Link(), alias="_links")


class LegacyUser(Payload):
    """A user as REST v1 and Data Center describe one."""

    type: str | None = None
    account_id: str | None = Field(default=None, alias="accountId")
    user_key: str | None = Field(default=None, alias="userKey")
    username: str | None = None
    name: str | None = Field(default=None, alias="displayName")

    @property
    def key(self) -> str | None:
        return self.account_id or self.user_key or self.username


class LegacyGroup(Payload):
    name: str
    id: str | None = None


Member = TypeVar("Member")


class LegacyList(Payload, Generic[Member]):
    results: tuple[Member, ...] = ()
    size: int | None = None
    limit: int | None = None
    links: Link = Field(default=Link(), alias="_links")

    @property
    def goes_on(self) -> bool:
        """Whether there may be more than what was handed out."""
        return self.links.next is not None or (self.limit is not None and len(self.results) >= self.limit)


class LegacySubjects(Payload):
    user: LegacyList[LegacyUser] | None = None
    group: LegacyList[LegacyGroup] | None = None


class LegacyRestriction(Payload):
    restrictions: LegacySubjects


class LegacyRestrictions(Payload):
    read: LegacyRestriction | None = None


class LegacyVersion(Payload):
    number: int
    when: str | None = None
    by: LegacyUser | None = None


class LegacyDetails(Payload):
    media_type: str | None = Field(default=None, alias="mediaType")
    size: int | None = Field(default=None, alias="fileSize")


class LegacyLabel(Payload):
    name: str


class LegacyMetadata(Payload):
    labels: LegacyList[LegacyLabel] | None = None
    media_type: str | None = Field(default=None, alias="mediaType")


class LegacyAttachment(Payload):
    id: str
    title: str
    version: LegacyVersion | None = None
    extensions: LegacyDetails = LegacyDetails()
    metadata: LegacyMetadata = LegacyMetadata()
    links: Link = Field(default=Link(), alias="_links")


class LegacyChildren(Payload):
    attachment: LegacyList[LegacyAttachment] | None = None


class LegacyRepresentation(Payload):
    value: str


class LegacyBody(Payload):
    storage: LegacyRepresentation | None = None


class LegacySpace(Payload):
    key: str
    type: str | None = None
    status: str | None = None


class LegacyAncestor(Payload):
    id: str


class LegacyContent(Payload):
    """A page, a blog post or an attachment."""

    id: str
    type: str = "page"
    status: str = "current"
    title: str = ""
    space: LegacySpace | None = None
    version: LegacyVersion | None = None
    ancestors: tuple[LegacyAncestor, ...] | None = None
    """From the top of the space down."""
    restrictions: LegacyRestrictions | None = None
    children: LegacyChildren | None = None
    extensions: LegacyDetails = LegacyDetails()
    metadata: LegacyMetadata = LegacyMetadata()
    body: LegacyBody | None = None
    links: Link = Field(default=Link(), alias="_links")


class LegacyOperation(Payload):
    key: str = Field(alias="operationKey")
    target: str = Field(alias="targetType")


class LegacySubject(Payload):
    """Whom a permission is given to; of an anonymous visitor it says nothing."""

    type: str | None = None
    user_key: str | None = Field(default=None, alias="userKey")
    name: str | None = None


class LegacyPermission(Payload):
    operation: LegacyOperation
    subject: LegacySubject | None = None


class SpaceEntry(Payload):
    id: str
    key: str
    type: str | None = None


class Spaces(Payload):
    results: tuple[SpaceEntry, ...]


class RoleMode(Payload):
    mode: str


class PermittedPrincipal(Payload):
    type: str
    id: str


class Operation(Payload):
    key: str
    target: str = Field(alias="targetType")


class Permission(Payload):
    principal: PermittedPrincipal
    operation: Operation


class Permissions(Payload):
    results: tuple[Permission, ...]


class AssignedPrincipal(Payload):
    type: str = Field(alias="principalType")
    id: str = Field(alias="principalId")


class RoleAssignment(Payload):
    principal: AssignedPrincipal
    id: str = Field(alias="roleId")


class RoleAssignments(Payload):
    results: tuple[RoleAssignment, ...]


class SpaceRole(Payload):
    id: str
    permissions: tuple[str, ...] = Field(default=(), alias="spacePermissions")


class SpaceRoles(Payload):
    results: tuple[SpaceRole, ...]


class Version(Payload):
    number: int
    created_at: str | None = Field(default=None, alias="createdAt")
    author: str | None = Field(default=None, alias="authorId")


class Content(Payload):
    """A page, a blog post, or what else can stand above a page."""

    id: str
    status: str = "current"
    title: str = ""
    space: str = Field(default="", alias="spaceId")
    parent_id: str | None = Field(default=None, alias="parentId")
    parent_kind: str | None = Field(default=None, alias="parentType")
    version: Version | None = None
    body: LegacyBody | None = None
    links: Link = Field(default=Link(), alias="_links")

    @property
    def is_current(self) -> bool:
        return self.status == "current"


class Contents(Payload):
    results: tuple[Content, ...]
    links: Link = Field(default=Link(), alias="_links")


class Attachment(Payload):
    id: str
    status: str = "current"
    title: str
    page: str | None = Field(default=None, alias="pageId")
    blogpost: str | None = Field(default=None, alias="blogPostId")
    media_type: str | None = Field(default=None, alias="mediaType")
    size: int | None = Field(default=None, alias="fileSize")
    version: Version | None = None
    links: Link = Field(default=Link(), alias="_links")


class Attachments(Payload):
    results: tuple[Attachment, ...]
    links: Link = Field(default=Link(), alias="_links")


class Labels(Payload):
    results: tuple[LegacyLabel, ...]


class User(Payload):
    id: str = Field(alias="accountId")
    name: str | None = Field(default=None, alias="displayName")
    public_name: str | None = Field(default=None, alias="publicName")
    email: str | None = None


class Users(Payload):
    results: tuple[User, ...]


class Found(Payload):
    """A page as the search tells of it."""

    id: str
    restrictions: LegacyRestrictions | None = None
    children: LegacyChildren | None = None
    metadata: LegacyMetadata = LegacyMetadata()


class Search(Payload):
    results: tuple[Found, ...]
