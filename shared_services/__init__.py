"""Services that every agent and page may use; none of them knows an agent."""
