"""Objects that clients can refetch by id."""

import strawberry


@strawberry.interface(description="An object with a globally unique, opaque id.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Opaque global id. Store it, compare it, never parse it."
    )
