"""Why a number changed: mix or model, where, what moved, and the likeliest causes."""
