"""What Modelward governs: one folder per capability; what follows from one in another goes through the event log."""
