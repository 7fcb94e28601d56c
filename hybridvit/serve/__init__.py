"""The studio's HTTP API as a service for other software: `hybridvit serve`."""
