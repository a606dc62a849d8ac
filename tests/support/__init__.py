"""What tests share: villages, clubs, histories, services, and programs to run."""
