"""Tests on a Kubernetes cluster: `make cluster-test`. The ordinary `make test` leaves them alone."""
