"""Two small workshops that use the same words for different things: how to deploy, which port, how to undo."""

from shared_services.contracts.workshop import StepManifest, WorkshopManifest
from shared_services.library.form import WorkshopFiles, manifest_yaml

HARBOR = {
    "prepare": (
        "Prepare the cluster",
        """# Prepare the cluster

Every participant works in a namespace of their own, so that nobody overwrites anybody else's objects.

## Create your namespace

Create the namespace `harbor-lab` and make it the default of your context:

```bash exec
kubectl create namespace harbor-lab
kubectl config set-context --current --namespace=harbor-lab
```

If the command answers `AlreadyExists`, somebody used the cluster before you; you may keep the namespace.
""",
    ),
    "deploy": (
        "Deploy the application",
        """# Deploy the application

The application is a small web server that counts ships. It listens on port 8081.

## Apply the manifest

Deploy the application by applying its manifest:

```bash exec
kubectl apply -f harbor.yaml
```

Wait until the pods are ready:

```bash exec
kubectl rollout status deployment/harbor --timeout=120s
```

## When the pod does not start

A pod in `ImagePullBackOff` cannot fetch its image. The reason is nearly always a typing error in the image's tag; look at the
events with `kubectl describe pod`.
""",
    ),
    "scale": (
        "Scale it",
        """# Scale it

More replicas serve more requests, because the service spreads requests over all ready pods.

Scale the deployment to three replicas:

```bash exec
kubectl scale deployment/harbor --replicas=3
```

## Undo a bad rollout

Go back to the previous revision of the deployment:

```bash exec
kubectl rollout undo deployment/harbor
```
""",
    ),
    "tidy": (
        "Tidy up",
        """# Tidy up

Delete everything at once by deleting the namespace:

```bash exec
kubectl delete namespace harbor-lab
```

Deleting a namespace takes up to a minute, because every object in it is deleted first.
""",
    ),
}

ORCHARD = {
    "deploy": (
        "Deploy the application",
        """# Deploy the application

The application is a web server that weighs apples. It listens on port 9292.

Deploy the application with its chart:

```bash exec
helm install orchard ./chart --set basket=large
```
""",
    ),
    "undo": (
        "Undo a bad rollout",
        """# Undo a bad rollout

Go back to the first release:

```bash exec
helm rollback orchard 1
```
""",
    ),
}


def files_of(slug: str, title: str, steps: dict[str, tuple[str, str]]) -> WorkshopFiles:
    """A workshop of (title, content) by step id, as it would lie on disk."""
    manifest = WorkshopManifest(slug=slug, title=title, steps=list(steps))
    manifests = {step: StepManifest(title=name) for step, (name, _) in steps.items()}
    files = {"workshop.yaml": manifest_yaml(manifest)}
    for step, (_, content) in steps.items():
        files[f"steps/{step}/step.yaml"] = manifest_yaml(manifests[step])
        files[f"steps/{step}/content.md"] = content.encode()
    return WorkshopFiles(manifest, manifests, files)
