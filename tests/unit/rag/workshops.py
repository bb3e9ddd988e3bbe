"""Small workshops in memory, for the RAG agent's tests."""

from shared_services.library.form import WorkshopFiles, validate_files


def workshop(
    slug: str, steps: dict[str, str], *, title: str = "", commit: str = "c0ffee", more: dict[str, str] | None = None
) -> WorkshopFiles:
    """A workshop whose steps (id -> content.md) have their id as a title; `more` adds files."""
    manifest = (
        f"apiVersion: workshop-assistant/v1\nslug: {slug}\ntitle: {title or slug}\n"
        f"source: {{repository: 'https://example.org/{slug}.git', commit: {commit}}}\nsteps: [{', '.join(steps)}]\n"
    )
    files = {"workshop.yaml": manifest.encode()}
    for step, content in steps.items():
        files[f"steps/{step}/step.yaml"] = f"title: {step.replace('-', ' ').capitalize()}\n".encode()
        files[f"steps/{step}/content.md"] = content.encode()
    files |= {path: text.encode() for path, text in (more or {}).items()}
    return validate_files(files)


CLUSTER_STEPS = {
    "deploy": """# Deploy

The shop runs as a deployment of two pods. Apply the manifest to create it:

```bash exec
kubectl apply -f shop/deployment.yaml
```

```text output
deployment.apps/shop created
```

## Scale out

When the queue grows, add pods. Three replicas handle the evening peak:

```bash exec
kubectl scale deployment/shop --replicas=3
```

## When a pod does not start

A pod in `CrashLoopBackOff` starts and dies again and again. Read what the dead container said last:

```bash exec
kubectl logs deployment/shop --previous
```

Exit code 137 means that the container used more memory than its limit allows. Raise the limit in `shop/deployment.yaml`.
""",
    "expose": """# Expose

A service gives the pods one stable name inside the cluster, and a route makes the name reachable from outside.

- Create the service with `kubectl expose deployment/shop --port=8080`.
- Create the route with `oc create route edge shop --service=shop`. TLS ends at the router.

The certificate is renewed every night by the operator, so there is nothing to rotate by hand.
""",
    "observe": """# Observe

Prometheus scrapes the shop every 30 seconds at `/metrics`.

> The counter `shop_orders_total` grows with each order. It resets when a pod restarts.

An alert named ShopSlow fires when the 95th percentile of the response time stays above 2 seconds for ten minutes.
""",
}
